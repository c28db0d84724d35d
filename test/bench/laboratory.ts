import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Leftovers } from "./leftovers.ts";
import { BenchPostgres } from "./postgres.ts";
import { BenchSource } from "./source.ts";

/** What the parts of the bench share; servers are started when the first part asks for them. */
export class Laboratory {
  /** Aborted when the bench is to end. */
  readonly signal: AbortSignal;
  readonly postgres = lazily(async () => this.#own(await BenchPostgres.start(this.signal)));
  readonly source = lazily(async () => this.#own(await BenchSource.start()));
  readonly #leftovers = new Leftovers();

  constructor(signal: AbortSignal) {
    this.signal = signal;
  }

  /** A new folder that the end of the bench removes. */
  folder(): string {
    const folder = mkdtempSync(join(tmpdir(), "swf-alarms-bench-"));
    this.#leftovers.add(() => rmSync(folder, { recursive: true, force: true }));
    return folder;
  }

  async repeat<T>(times: number, work: (place: number) => Promise<T>): Promise<readonly T[]> {
    const results: T[] = [];
    for (let place = 0; place < times; place++) {
      this.signal.throwIfAborted();
      results.push(await work(place));
    }
    return results;
  }

  async close(): Promise<void> {
    await this.#leftovers.putAway();
  }

  #own<T extends { close(): Promise<void> }>(server: T): T {
    this.#leftovers.add(() => server.close());
    return server;
  }
}

function lazily<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
