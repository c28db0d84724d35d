import { cut } from "../core/describe.ts";
import { parseDetection } from "../core/detection.ts";
import type { Outcome, SafeDetection } from "../core/model.ts";
import type { DetectError } from "./wire.ts";

/** How many reasons an outcome spells out; a broken source can give one per entity. */
const MAX_REASONS = 5;
/** How many different reasons are told apart at all. */
const KEPT_REASONS = 1_000;
/** Characters of one reason. */
const MAX_REASON = 1_000;

/** What one run of `detect` has given so far. What was yielded before a failure stays. */
export class OutcomeSoFar {
  readonly #detections = new Map<string, SafeDetection>();
  readonly #reasons = new Set<string>();
  #fault: Outcome["fault"];
  #sourceFailed = false;
  #end: string | undefined;
  /** Questions that have no answer yet. */
  #waiting = 0;
  #yielded = 0;
  #length = 0;

  /** How many values have been yielded, whatever they were. */
  get yielded(): number {
    return this.#yielded;
  }

  /** Characters of all that has been yielded. */
  get length(): number {
    return this.#length;
  }

  /** Takes a value that the module yielded; `length` is that of its text. */
  add(value: unknown, length = 0): void {
    this.#yielded += 1;
    this.#length += length;
    const parsed = parseDetection(value);
    if (!parsed.ok) this.incomplete(parsed.fault);
    // The same entity twice in one tick is one event; the first yield is kept.
    else if (!this.#detections.has(parsed.detection.dedupeKey)) {
      this.#detections.set(parsed.detection.dedupeKey, parsed.detection);
    }
  }

  /** The module did not see everything. */
  incomplete(reason: string): void {
    if (this.#reasons.size < KEPT_REASONS) this.#reasons.add(asReason(reason));
  }

  /** A question goes to a source; until it is `answered`, what is late is the source. */
  asks(): void {
    this.#waiting += 1;
  }

  answered(): void {
    this.#waiting -= 1;
  }

  /** A request failed, whether or not the module minds. */
  sourceFailed(reason: string): void {
    this.#sourceFailed = true;
    this.incomplete(reason);
  }

  /** `detect` did not end by itself. A failed request that it let through is already a reason. */
  fail(error: DetectError): void {
    const waited = this.#waiting > 0 && error.text.startsWith("out of time");
    const text = asReason(error.text);
    // A list that goes on wrongly is found where the module runs, and told before it is thrown.
    const known = error.isFetch && this.#reasons.has(text);
    this.#fault = this.#sourceFailed || waited || known ? "source" : "module";
    this.#end = error.isFetch && !known ? `detect threw FetchError: ${text}` : text;
    this.#reasons.add(this.#end);
  }

  /** The outcome as it stands after so many seconds. */
  outcome(seconds: number): Outcome {
    const reasons = [...this.#reasons];
    const shown = reasons.slice(0, MAX_REASONS);
    // How it ended is told, however many other reasons came before.
    if (this.#end !== undefined && !shown.includes(this.#end))
      shown.splice(MAX_REASONS - 1, 1, this.#end);
    if (reasons.length > MAX_REASONS)
      shown.push(`and ${reasons.length - MAX_REASONS} more reasons`);
    return {
      status: this.#fault !== undefined ? "failed" : reasons.length > 0 ? "partial" : "complete",
      fault: this.#fault,
      reasons: shown,
      detections: [...this.#detections.values()],
      seconds,
    };
  }
}

/** One line, bounded: reasons stand in mails, in the log and in lists. */
function asReason(text: string): string {
  return cut(text.slice(0, MAX_REASON * 2).replace(/\s*[\r\n]\s*/g, " "), MAX_REASON);
}
