import {
  array,
  type InferOutput,
  minValue,
  number,
  object,
  pipe,
  safeInteger,
  safeParse,
  strictTuple,
  string,
  tuple,
} from "valibot";
import type { SpoolLine } from "../../../spool/spool_line.ts";
import { attempt } from "../../../text/attempt.ts";
import { showName } from "../../../text/describe.ts";
import { count, type PoolCount, takeLost } from "./pool_count.ts";
import { include, isWithin } from "./ranges.ts";

/** Runs of services whose serials are remembered: those with the newest lines. */
const MAX_ORIGINS = 200;
/**
 * Runs of serials that are remembered for each. A line comes twice when a feeder dies before its answer or an event is
 * sent to several feeders: the second is as far behind as the buffer of a feeder is long, which is 10 events unless it is
 * set to more.
 */
const MAX_RUNS = 500;

/** A person may have edited it. */
const BYTES = pipe(number(), safeInteger(), minValue(0));

const STORED = object({
  /** Bytes read of each file. */
  files: array(tuple([string(), BYTES])),
  origins: array(
    object({
      origin: string(),
      /** Of its newest line. */
      at: number(),
      /** Those seen, as `Ranges`. */
      serials: array(number()),
      pools: array(
        object({
          pool: string(),
          serial: number(),
          next: number(),
          gaps: array(strictTuple([number(), number(), number()])),
          lost: number(),
        }),
      ),
    }),
  ),
});

type Origin = InferOutput<typeof STORED>["origins"][number];

/** How far one alarm has read one spool. */
export class SpoolPosition {
  /** Bytes read of each file, by its name. */
  readonly files: Map<string, number>;
  /** Why the stored position is of no use; undefined if it is, or there is none. */
  readonly fault: string | undefined;
  readonly #origins: Map<string, Origin>;
  /** Nothing is known of what came before. */
  readonly #isFirst: boolean;
  readonly #stored: string | undefined;

  /** As it is stored; undefined if the alarm has never read this spool. */
  constructor(stored: string | undefined) {
    const value = attempt((): unknown => JSON.parse(stored ?? ""), undefined);
    const parsed = safeParse(STORED, value);
    const { files, origins } = parsed.success ? parsed.output : { files: [], origins: [] };
    this.files = new Map(files);
    this.#origins = new Map(origins.map((each) => [each.origin, each]));
    this.#isFirst = !parsed.success;
    this.#stored = stored;
    this.fault =
      parsed.success || stored === undefined
        ? undefined
        : "the stored position in the spool is not readable, so that it is read from its beginning";
  }

  /** Whether a line with the event was taken before. */
  has({ origin, serial }: SpoolLine): boolean {
    const known = this.#origins.get(origin);
    return known !== undefined && isWithin(known.serials, serial);
  }

  /** The line counts as read. `now`: epoch seconds, which no line is later than, whatever the clock of its feeder. */
  take({ origin: name, serial, pool, poolserial, skipped, ...line }: SpoolLine, now: number): void {
    const at = Math.min(line.at, now);
    const origin = this.#origins.get(name) ?? { origin: name, at, serials: [], pools: [] };
    this.#origins.set(name, origin);
    origin.at = Math.max(origin.at, at);
    // Another pool may have kept what this one did not.
    if (skipped !== true) include(origin.serials, serial, MAX_RUNS);
    let counted: PoolCount | undefined = origin.pools.find((each) => each.pool === pool);
    if (counted === undefined) {
      // What came before the first line that was ever read is not missing.
      counted = { pool, serial, next: this.#isFirst ? poolserial : 0, gaps: [], lost: 0 };
      origin.pools.push(counted);
    }
    count(counted, { serial, poolserial, at });
  }

  /** Takes the events that are lost by now: how many of which pool. */
  takeLost(now: number): readonly string[] {
    return [...this.#origins.values()].flatMap(({ origin, pools }) =>
      pools.flatMap((pool) => {
        const lost = takeLost(pool, now);
        const what = lost === 1 ? "1 event" : `${lost} events`;
        const whose = `the listener ${showName(pool.pool)} of ${showName(origin)}`;
        return lost === 0 ? [] : [`${what} of ${whose} ${lost === 1 ? "is" : "are"} lost`];
      }),
    );
  }

  /** To be stored; undefined if that is what is stored. */
  get changed(): string | undefined {
    const origins = [...this.#origins.values()]
      .toSorted((a, b) => b.at - a.at)
      .slice(0, MAX_ORIGINS);
    const text = JSON.stringify({ files: [...this.files], origins });
    return text === this.#stored ? undefined : text;
  }
}
