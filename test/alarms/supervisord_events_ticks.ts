import { existsSync, readFileSync } from "node:fs";
import type { Level } from "../../src/core/level.ts";
import type { SafeDetection } from "../../src/core/model.ts";
import { resolveParams } from "../../src/core/params.ts";
import { SpoolSource } from "../../src/source/spool/spool_source.ts";
import type { SpoolLine } from "../../src/spool/spool_line.ts";
import type { JsonObject } from "../../src/text/json.ts";
import { outcomeOf } from "../support/run_detect.ts";
import { append, emptyFolder } from "../support/spool.ts";
import { loadAlarm } from "./run_alarm.ts";

const RECORDED = new URL("../../../shared/data/supervisord/events_all.jsonl", import.meta.url);

/** An event as a supervisord sends it. */
export interface Sent {
  readonly event: string;
  readonly payload: string;
  /** Epoch seconds. */
  readonly at: number;
}

/** A recorded run of a supervisord, from its start to its end; undefined where there is none, which is printed. */
export function recordedEvents(): readonly Sent[] | undefined {
  if (!existsSync(RECORDED)) {
    console.log(`skipped: no recorded events in ${RECORDED.pathname}`);
    return undefined;
  }
  return readFileSync(RECORDED, "utf8")
    .trimEnd()
    .split("\n")
    .map((text) => {
      const { t, header, payload } = JSON.parse(text);
      return { event: header.eventname, payload, at: t };
    });
}

/** A supervisord whose listener writes to the spool of `ticks`. */
export class Supervisor {
  readonly #identifier: string;
  #run = 1;
  #serial = 0;

  constructor(identifier = "daq") {
    this.#identifier = identifier;
  }

  /** Its serials begin anew. */
  restart(): void {
    this.#run += 1;
    this.#serial = 0;
  }

  line({ event, payload, at }: Sent, changes: Partial<SpoolLine> = {}): SpoolLine {
    const serial = this.#serial++;
    const origin = `${this.#identifier}:${this.#run}`;
    return { origin, serial, pool: "swf", poolserial: serial, event, at, payload, ...changes };
  }
}

/** What one tick did. */
export interface Ticked {
  readonly status: string;
  readonly reasons: readonly string[];
  readonly notes: readonly string[];
  readonly detections: readonly SafeDetection[];
  readonly levels: ReadonlyMap<string, Level>;
  /** What became of events, in order: `+ key`, or `- key: why`. */
  readonly changes: readonly string[];
}

/** The alarm supervisord_events over a spool, tick after tick, as the engine stores what it does. */
export class Ticks {
  readonly folder = emptyFolder();
  readonly #params: JsonObject;
  #positions: { readonly [source: string]: string } = {};
  #memory: string | undefined;
  readonly #open = new Set<string>();

  constructor(params: JsonObject = {}) {
    this.#params = params;
  }

  /** What is remembered, as JSON. */
  get memory(): string | undefined {
    return this.#memory;
  }

  append(file: string, lines: readonly (SpoolLine | string)[]): void {
    append(this.folder, file, lines);
  }

  async tick(
    now: number,
    lines: readonly (SpoolLine | string)[] = [],
    file = "daq.swf.1.jsonl",
  ): Promise<Ticked> {
    if (lines.length > 0) this.append(file, lines);
    const { detect, params, stages } = await loadAlarm("supervisord_events");
    const source = new SpoolSource({ name: "events", path: this.folder, silentAfter: 180 });
    const memory = this.#memory;
    const outcome = await outcomeOf(detect, {
      params: resolveParams(params, this.#params).params,
      stages,
      now,
      sources: new Map([["supervisord_events", source]]),
      positions: async () => this.#positions,
      previous: async () =>
        memory === undefined ? undefined : { at: now, value: JSON.parse(memory) },
    });
    const { status, reasons, notes, detections, clears, keys } = outcome;
    if (status !== "failed") {
      this.#positions = { ...this.#positions, ...Object.fromEntries(outcome.positions) };
      this.#memory = outcome.memory ?? memory;
    }
    const changes: string[] = [];
    for (const key of keys) {
      if (!this.#open.has(key)) changes.push(`+ ${key}`);
      this.#open.add(key);
    }
    for (const [key, why] of clears) if (this.#open.delete(key)) changes.push(`- ${key}: ${why}`);
    const unseen = [...this.#open].filter((key) => !keys.has(key));
    if (status === "complete") {
      for (const key of unseen) {
        this.#open.delete(key);
        changes.push(`- ${key}`);
      }
    }
    return { status, reasons, notes, detections, levels: outcome.levels, changes };
  }
}
