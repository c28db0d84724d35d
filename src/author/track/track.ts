import { quote } from "../../text/describe.ts";
import { boundBytes, boundKeys, boundRuns, MAX_BYTES } from "./bound.ts";
import { type History, type Run, readHistory, type TrackMemory, writeHistory } from "./history.ts";
import { look, until } from "./look.ts";
import { readSamples, type Samples } from "./samples.ts";

export interface TrackOptions {
  /** Epoch seconds: `client.now`. */
  readonly now: number;
  /** Seconds of history that questions may ask about. */
  readonly keep: number;
  /** Seconds after which a key that is not sampled any more is forgotten; `keep` by default. */
  readonly forget?: number | undefined;
  /**
   * Which keys could not be looked at now, because a request for them failed: what is known of them stays as it is,
   * however old it gets. Not asked about keys that are sampled.
   */
  readonly unknown?: ((key: string) => boolean) | undefined;
  /** Keys at most; 5,000 by default. */
  readonly max?: number | undefined;
  /** Runs of equal values of one key at most; 32 by default. */
  readonly runs?: number | undefined;
}

/**
 * What changed since earlier ticks. Each tick looks once: it makes a Track of what earlier ticks remembered
 * (`(await client.previous())?.value`) and of the values that it sees now, asks, and remembers `memory`.
 *
 * Only looks know values: what came and went between two of them is not seen. The answers are about looks within a window
 * that ends now, `within` seconds long or else `keep`. A value that two looks in a row saw is taken as the value of all the
 * time between them, even if it was long and began before the window. A change is within the window only if the looks
 * before and after it are: one that was found after the engine was off for hours did not happen in the last minutes.
 *
 * Equal values in a row are one run, and a key has at most 32 of them (`runs`). All is at most 5,000 keys (`max`) and
 * 200 KiB of JSON. What was seen longest ago is dropped first, and `lost` says so.
 *
 * Throws TypeError for a sample that JSON does not keep, such as a field that a service left out, or NaN; RangeError for a
 * wrong option, and for `within` beyond `keep`.
 */
export class Track {
  /** JSON for `client.remember`. A second Track with the same `now` and samples has the same answers. */
  readonly memory: TrackMemory;
  readonly #history: History;
  readonly #lost: string[] = [];
  readonly #now: number;
  readonly #keep: number;

  constructor(memory: unknown, samples: Samples, options: TrackOptions) {
    const { now, keep, forget = keep, unknown = () => false, max = 5_000, runs = 32 } = options;
    check("now", now, Number.isFinite(now), "epoch seconds");
    check("keep", keep, keep > 0 && keep < Number.POSITIVE_INFINITY, "seconds above 0");
    check("forget", forget, forget >= 0, "seconds, 0 or more");
    check("max", max, Number.isSafeInteger(max) && max >= 1, "a whole number above 0");
    check("runs", runs, Number.isSafeInteger(runs) && runs >= 2, "a whole number, 2 or more");
    this.#now = now;
    this.#keep = keep;

    const known = this.#read(memory);
    const past = this.#less("seen later than now: the clock went back", known, until(now, known));
    const all = look(past, readSamples(samples), { now, keep, forget, unknown });
    const few = this.#less(`more than ${runs} runs of a key`, all, boundRuns(all, runs));
    const fewer = this.#less(`more than ${max} keys`, few, boundKeys(few, max));
    const kibs = MAX_BYTES / 1024;
    this.#history = this.#less(`more than ${kibs} KiB of JSON`, fewer, boundBytes(fewer));
    this.memory = writeHistory(this.#history);
  }

  /**
   * How often the value of a key changed between looks within the last `within` seconds. N changes need N + 1 looks.
   * Undefined if there were fewer than two, so that nothing is known of changes: the first look, or the first one after the
   * engine was off.
   */
  changes(key: string, within = this.#keep): number | undefined {
    const runs = this.#within(key, within);
    return isTwoLooks(runs) ? runs.length - 1 : undefined;
  }

  /**
   * How much a number grew between looks within the last `within` seconds, 0 or more. A fall is a "restart" of a counter
   * from 0, which has grown to its value since, or is left out ("ignore"). Looks that saw something else than a number are
   * left out. Undefined if fewer than two saw one. What a counter counted between its last look and its restart is lost.
   */
  growth(
    key: string,
    within = this.#keep,
    falls: "restart" | "ignore" = "restart",
  ): number | undefined {
    check("falls", falls, falls === "restart" || falls === "ignore", '"restart" or "ignore"');
    const runs = this.#within(key, within).filter(isNumeric);
    if (!isTwoLooks(runs)) return undefined;
    return runs.slice(1).reduce((sum, { value }, before) => {
      const from = runs[before]?.value ?? value;
      if (value >= from) return sum + value - from;
      return falls === "restart" ? sum + Math.max(value, 0) : sum;
    }, 0);
  }

  /**
   * How often a number fell between looks within the last `within` seconds, which a counter does only if it begins again.
   * Otherwise as `growth`.
   */
  falls(key: string, within = this.#keep): number | undefined {
    const runs = this.#within(key, within).filter(isNumeric);
    if (!isTwoLooks(runs)) return undefined;
    return runs.filter(({ value }, index) => value < (runs[index - 1]?.value ?? value)).length;
  }

  /**
   * Seconds between the first and the latest look that `changes`, `growth` and `falls` answer from: what to divide them by
   * for a rate. Less than `within` if the key is not known that long. 0 after the first look, undefined without any in the
   * window.
   */
  span(key: string, within = this.#keep): number | undefined {
    const runs = this.#within(key, within);
    const [oldest, latest] = [runs[0], runs.at(-1)];
    return oldest && latest && latest.last - oldest.first;
  }

  /**
   * Since when a key has its value: epoch seconds of the earliest look that saw it and from which on no look saw another,
   * which may be longer ago than `keep`. Of a key that is not sampled now, the value that was seen last. Undefined for an
   * unknown key.
   */
  since(key: string): number | undefined {
    return this.#history.get(key)?.at(-1)?.first;
  }

  /** What was dropped in this tick and so is missing in answers, one text for each reason, for `client.note`. Usually empty. */
  lost(): readonly string[] {
    return this.#lost;
  }

  #read(memory: unknown): History {
    const history = readHistory(memory);
    if (history === undefined && memory !== undefined && memory !== null)
      this.#lost.push(`the memory of earlier looks is ${quote(memory)}, which no Track made`);
    return history ?? new Map();
  }

  /** The smaller history; notes what it lacks. */
  #less(why: string, all: History, kept: History): History {
    const runs = runsIn(all) - runsIn(kept);
    const keys = all.size - kept.size;
    const whole = keys > 0 ? `; keys of which none is left: ${keys}` : "";
    if (runs > 0) this.#lost.push(`${why} (dropped runs: ${runs}${whole})`);
    return kept;
  }

  /** What was seen in the window. */
  #within(key: string, within: number): readonly Run[] {
    const rule = `seconds above 0, at most keep, which is ${this.#keep}`;
    check("within", within, within > 0 && within <= this.#keep, rule);
    const start = this.#now - within;
    const runs = (this.#history.get(key) ?? []).filter(({ last }) => last >= start);
    return runs.map((run) => ({ ...run, first: Math.max(run.first, start) }));
  }
}

function isTwoLooks(runs: readonly Run[]): boolean {
  return runs.length > 1 || runs.some(({ first, last }) => first < last);
}

function isNumeric(run: Run): run is Run & { readonly value: number } {
  return typeof run.value === "number";
}

function runsIn(history: History): number {
  return [...history.values()].reduce((sum, { length }) => sum + length, 0);
}

function check(name: string, value: unknown, isRight: boolean, rule: string): void {
  if (!isRight) throw new RangeError(`Track: ${name} is ${quote(value)}; it must be ${rule}`);
}
