import { parseDetection, readDedupeKey, redactDetection } from "../core/detection.ts";
import type { Detections, Outcome } from "../core/model.ts";
import { cut, errorText } from "../text/describe.ts";
import type { Redact } from "../text/redact.ts";
import type { Details, Kept } from "./details.ts";
import type { DetectError } from "./protocol.ts";

/** How many reasons an outcome spells out; a broken source can give one per entity. */
const MAX_REASONS = 5;
/** How many different reasons are told apart at all. */
const KEPT_REASONS = 1_000;
/** Characters of one reason. */
const MAX_REASON = 1_000;

export interface OutcomeFacts {
  /** Where the detections are kept. */
  readonly details: Details;
  /** Whether more of a detection than its key will be needed; asked once for each key. */
  readonly needsDetails: (dedupeKey: string) => boolean;
  /** Takes the secrets out of what will be stored and mailed. */
  readonly redact: Redact;
}

/** What one run of `detect` has given so far. What was yielded before a failure stays. */
export class OutcomeSoFar {
  readonly #facts: OutcomeFacts;
  /** By dedupe key, in the order of the first yield. */
  readonly #kept = new Map<string, Kept | undefined>();
  readonly #reasons = new Set<string>();
  #fault: Outcome["cause"];
  #sourceFailed = false;
  #end: string | undefined;
  /** Questions that have no answer yet. */
  #waiting = 0;
  #yielded = 0;
  #length = 0;

  constructor(facts: OutcomeFacts) {
    this.#facts = facts;
  }

  /** How many values have been yielded, whatever they were. */
  get yielded(): number {
    return this.#yielded;
  }

  /** Characters of the detections that are kept whole. */
  get length(): number {
    return this.#length;
  }

  /** Takes a value that the module yielded. */
  add(value: unknown): void {
    this.#yielded += 1;
    const { details, needsDetails, redact } = this.#facts;
    const key = readDedupeKey(value);
    const dedupeKey = key === undefined ? "" : redact(key);
    // The same entity twice in one tick is one event; the first yield is kept.
    if (this.#kept.has(dedupeKey)) return;
    if (dedupeKey !== "" && !needsDetails(dedupeKey)) {
      this.#kept.set(dedupeKey, undefined);
      return;
    }
    const parsed = parseDetection(value);
    if (!parsed.ok) {
      this.incomplete(parsed.fault);
      return;
    }
    const detection = redactDetection(parsed.detection, redact);
    const text = JSON.stringify(detection);
    this.#length += text.length;
    try {
      this.#kept.set(dedupeKey, details.keep(detection, text));
    } catch (error) {
      this.incomplete(`its detections cannot be kept until they are recorded: ${errorText(error)}`);
    }
  }

  /** The module did not see everything. */
  incomplete(reason: string): void {
    if (this.#reasons.size < KEPT_REASONS) this.#reasons.add(asReason(reason));
  }

  /** A question goes to a source; until it is `answered`, what is late is the source. */
  requestStarted(): void {
    this.#waiting += 1;
  }

  requestEnded(): void {
    this.#waiting -= 1;
  }

  /** A request failed, whether or not the module minds. */
  requestFailed(reason: string): void {
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
      cause: this.#fault,
      reasons: shown,
      detections: this.#detections(),
      seconds,
    };
  }

  #detections(): Detections {
    const kept = this.#kept;
    const { details } = this.#facts;
    return {
      size: kept.size,
      has: (dedupeKey) => kept.has(dedupeKey),
      keys: () => kept.keys(),
      get: (dedupeKey) => {
        const found = kept.get(dedupeKey);
        return found === undefined ? undefined : details.read(found);
      },
    };
  }
}

/** One line, bounded: reasons stand in mails, in the log and in lists. */
function asReason(text: string): string {
  return cut(text.slice(0, MAX_REASON * 2).replace(/\s*[\r\n]\s*/g, " "), MAX_REASON);
}
