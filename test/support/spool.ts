import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { AlarmClient, SpoolEvent } from "../../src/source/client/client.ts";
import { SpoolSource } from "../../src/source/spool/spool_source.ts";
import { parseSpoolLine } from "../../src/spool/parse_spool_line.ts";
import { type SpoolLine, spoolLineText } from "../../src/spool/spool_line.ts";
import { runHere } from "./run_detect.ts";

/** A line of the only run of a supervisor with one listener. */
export function line(serial: number, at: number, changes: Partial<SpoolLine> = {}): SpoolLine {
  const made = { origin: "supervisor:1", serial, pool: "swf", poolserial: serial };
  return { ...made, event: "TICK_60", at, payload: `when:${at}`, ...changes };
}

/** An empty folder that is gone after the test. */
export function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "swf-alarms-spool-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function append(folder: string, file: string, lines: readonly (SpoolLine | string)[]): void {
  const texts = lines.map((each) => (typeof each === "string" ? each : spoolLineText(each)));
  appendFileSync(join(folder, file), texts.join(""));
}

/** The whole lines of a spool's files, by serial; a line that cannot be read throws. */
export function spoolLines(folder: string): readonly SpoolLine[] {
  return readdirSync(folder)
    .flatMap((file) => readFileSync(join(folder, file), "utf8").split("\n").slice(0, -1))
    .map((text) => {
      const line = parseSpoolLine(text);
      if (line === undefined) throw new Error(`not a line of a spool: ${text}`);
      return line;
    })
    .toSorted((a, b) => a.serial - b.serial);
}

/** Called with each event; false leaves the loop, and an error fails the outcome. */
type Take = (event: SpoolEvent, client: AlarmClient) => boolean;

/** An alarm that reads the spool of a folder, tick after tick. */
export class SpoolReader {
  readonly #folder: string;
  #positions: { readonly [source: string]: string };

  constructor(folder: string, positions: { readonly [source: string]: string } = {}) {
    this.#folder = folder;
    this.#positions = positions;
  }

  /** What is stored. */
  get position(): string | undefined {
    return this.#positions.events;
  }

  /** One tick, in which the module reads the spool so many times. */
  async tick(now: number, take: Take = () => true, times = 1) {
    const events: SpoolEvent[] = [];
    const outcome = await this.run(now, async (client) => {
      for (let n = 0; n < times; n++)
        for await (const event of client.source("events").pages()) {
          events.push(event);
          if (!take(event, client)) break;
        }
    });
    return { ...outcome, events, serials: events.map(({ serial }) => serial) };
  }

  /** One tick, whose outcome is stored as the engine does. */
  async run(now: number, work: (client: AlarmClient) => unknown) {
    const source = new SpoolSource({ name: "events", path: this.#folder, silentAfter: 180 });
    const detect = async (client: AlarmClient): Promise<readonly unknown[]> => {
      await work(client);
      return [];
    };
    const { status, reasons, notes, positions } = await runHere(detect, {
      now,
      sources: new Map([["events", source]]),
      positions: async () => this.#positions,
    });
    this.#positions = { ...this.#positions, ...Object.fromEntries(positions) };
    return { status, reasons, notes, counts: source.counts };
  }
}
