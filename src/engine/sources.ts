import type { Config } from "../config/config.ts";
import { MAX_CACHED } from "../source/http/response_cache.ts";
import { readSources } from "../source/registry.ts";
import type { OpenSource } from "../source/source_kind.ts";

/** The services of one tick, by the name that modules use. A connection is made with the first request. */
export class Sources {
  readonly byName: ReadonlyMap<string, OpenSource>;
  readonly #abort = new AbortController();

  constructor({ sources, engine }: Config) {
    const { requestTimeout: timeout, maxConnections } = engine;
    const shared = { signal: this.#abort.signal, memory: { left: MAX_CACHED } };
    const open = [...readSources(sources)].map(([name, source]) => {
      return [name, source.open({ name, timeout, maxConnections, ...shared })] as const;
    });
    this.byName = new Map(open);
  }

  get names(): ReadonlySet<string> {
    return new Set(this.byName.keys());
  }

  /** Loads the HTTP client while the tick waits for its database. */
  preloadHttpClient(): void {
    if (this.byName.size > 0) void import("../source/http/connections.ts");
  }

  /** Ends the requests that are still running and closes the connections. */
  async close(): Promise<void> {
    this.#abort.abort(new Error("the tick has ended"));
    await Promise.all([...this.byName.values()].map((source) => source.close()));
  }
}
