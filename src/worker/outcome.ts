import { MAX_CLEAR } from "../core/detection.ts";
import { foundLevel } from "../core/found_level.ts";
import { type Level, NO_LEVEL } from "../core/level.ts";
import { listed, MAX_LISTED, moreThan } from "../core/listed.ts";
import { memoryFault } from "../core/memory.ts";
import type { Outcome, SafeDetection } from "../core/model.ts";
import { judgeScopes, parsePrefix, wrongPrefix } from "../core/scopes.ts";
import { cut, quote } from "../text/describe.ts";
import type { Redact } from "../text/redact.ts";
import type { DetectError } from "./worker_message.ts";

/** Different ones that are counted. */
const COUNTED_REASONS = 1_000;
/** Different prefixes; with more than these nothing clears. */
const MAX_SCOPES = 1_000;
/** Characters of one. */
const MAX_REASON = 1_000;
/** Characters of a position in a spool: far more than one has. */
const MAX_POSITION = 4 * 2 ** 20;

export interface OutcomeFacts {
  /** Whether the subject, body and data of a detection are needed; called once for each key. */
  readonly needsDetails: (dedupeKey: string, level: Level) => boolean;
  /** Those of the module. */
  readonly stages: readonly string[];
  /** For keys, which must be as the database has them, and for reasons before they are cut. */
  readonly redact: Redact;
}

/** The outcome of one run of `detect` while it runs. What was yielded before an error stays. */
export class OutcomeSoFar {
  readonly #facts: OutcomeFacts;
  readonly #keys = new Set<string>();
  readonly #detections = new Map<string, SafeDetection>();
  readonly #levels = new Map<string, Level>();
  /** Each one once: a million detections may have the same. */
  readonly #sharedLevels = new Map<string, Level>();
  readonly #clears = new Map<string, string>();
  readonly #notes = new Set<string>();
  readonly #reasons = new Set<string>();
  /** By prefix, why not all keys that begin with it were seen: the first reason. */
  readonly #scopes = new Map<string, string>();
  #cause: Outcome["cause"];
  #sourceFailed = false;
  #end: string | undefined;
  #memory: string | undefined;
  readonly #positions = new Map<string, string>();
  readonly #failedRequests = new Set<string>();
  /** Whether the module's process reported more than requests that failed. */
  hasOwnReasons = false;
  /** Number of detections added, repeated keys included. */
  yielded = 0;
  /** Number of clears added, repeated keys included. */
  cleared = 0;

  constructor(facts: OutcomeFacts) {
    this.#facts = facts;
  }

  /** Returns the characters that it keeps, of the detection's `length`. */
  add(detection: SafeDetection, length: number): number {
    this.yielded += 1;
    const { needsDetails, redact } = this.#facts;
    const dedupeKey = redact(detection.dedupeKey);
    // The same entity twice in one tick is one event; the first yield is kept.
    if (this.#keys.has(dedupeKey)) return 0;
    this.#keys.add(dedupeKey);
    if (this.#clears.delete(dedupeKey)) this.#noteBoth(dedupeKey);
    const level = this.#levelOf(dedupeKey, detection);
    if (!needsDetails(dedupeKey, level)) return 0;
    const { severity: _severity, stage: _stage, ...details } = detection;
    this.#detections.set(dedupeKey, { ...details, dedupeKey });
    return length;
  }

  /** The module says that the entity's event has ended; if it is detected too, the detection counts. */
  addClear(key: string, reason: string): void {
    this.cleared += 1;
    const { redact } = this.#facts;
    const dedupeKey = redact(key);
    if (this.#keys.has(dedupeKey)) this.#noteBoth(dedupeKey);
    else if (!this.#clears.has(dedupeKey))
      this.#clears.set(dedupeKey, cut(redact(reason), MAX_CLEAR));
  }

  /** What exists of a detection's severity and stage. */
  #levelOf(dedupeKey: string, detection: SafeDetection): Level {
    if (detection.severity === undefined && detection.stage === undefined) return NO_LEVEL;
    const { level, faults } = foundLevel(detection, this.#facts.stages);
    for (const fault of faults) this.note(`${quote(dedupeKey)} has ${fault}`);
    if (level.severity === undefined && level.stage === undefined) return NO_LEVEL;
    const name = `${level.severity} ${level.stage}`;
    const shared = this.#sharedLevels.get(name) ?? level;
    this.#sharedLevels.set(name, shared);
    this.#levels.set(dedupeKey, shared);
    return shared;
  }

  #noteBoth(dedupeKey: string): void {
    this.note(
      `${quote(dedupeKey)} is detected and cleared in the same outcome; the detection counts`,
    );
  }

  /** What is worth knowing, and leaves it complete. */
  note(text: string): void {
    if (this.#notes.size < COUNTED_REASONS) this.#notes.add(this.#asReason(text));
  }

  /** What the module wants to keep for the next ticks; the last call counts. */
  remember(text: string): void {
    const fault = memoryFault(text);
    if (fault === undefined) this.#memory = text;
    else this.incomplete(fault);
  }

  /** How far the module has read a spool, as JSON. */
  position(source: string, text: string): void {
    if (text.length <= MAX_POSITION) this.#positions.set(source, text);
    else
      this.incomplete(
        `the position in ${source} has ${text.length} characters; the limit is ${MAX_POSITION}`,
      );
  }

  /** The module did not see everything; with a prefix, not all keys that begin with it. */
  incomplete(reason: string, prefix?: string): void {
    const text = this.#asReason(reason);
    if (!this.#failedRequests.has(text)) this.hasOwnReasons = true;
    if (prefix === undefined) this.#addReason(text);
    else this.#addScope(text, prefix);
  }

  #addScope(reason: string, prefix: string): void {
    const scope = this.#facts.redact(parsePrefix(prefix) ?? "");
    if (scope === "") this.#addReason(`${reason}; ${wrongPrefix(prefix)}`);
    else if (this.#scopes.size >= MAX_SCOPES && !this.#scopes.has(scope))
      this.#addReason(
        `${reason}; more than ${MAX_SCOPES} different prefixes, so that nothing clears`,
      );
    else if (!this.#scopes.has(scope)) this.#scopes.set(scope, reason);
  }

  #addReason(text: string): void {
    if (this.#reasons.size < COUNTED_REASONS) this.#reasons.add(text);
  }

  /** A request failed, even if the module catches the error. */
  requestFailed(reason: string, scope?: string): void {
    this.sourceFailed();
    this.#failedRequests.add(this.#asReason(reason));
    this.incomplete(reason, scope);
  }

  /** If `detect` fails too, the source is the cause. */
  sourceFailed(): void {
    this.#sourceFailed = true;
  }

  /** `detect` did not return. */
  fail(error: DetectError): void {
    const text = this.#asReason(error.text);
    // The client reports an error in a list of pages before it throws it.
    const isReported = error.isFetch && this.#reasons.has(text);
    this.#cause = this.#sourceFailed || error.isWaiting || isReported ? "source" : "module";
    this.#end = error.isFetch && !isReported ? `detect threw FetchError: ${text}` : text;
    // An error of a wrong call, which the client has reported too.
    for (const reason of this.#reasons)
      if (text.includes(`: ${reason}`)) this.#reasons.delete(reason);
    this.#reasons.add(this.#end);
  }

  /** The outcome after so many seconds. */
  outcome(seconds: number): Outcome {
    const reasons = [...this.#reasons];
    const shown = reasons.slice(0, MAX_LISTED);
    // How it ended is always listed.
    if (this.#end !== undefined && !shown.includes(this.#end)) shown[MAX_LISTED - 1] = this.#end;
    return {
      status: this.#cause !== undefined ? "failed" : reasons.length > 0 ? "partial" : "complete",
      cause: this.#cause,
      reasons: [...shown, ...moreThan(reasons.length, "reasons")],
      keys: this.#keys,
      detections: this.#detections,
      levels: this.#levels,
      clears: this.#clears,
      notes: listed([...this.#notes], "notes"),
      scopes: judgeScopes(this.#scopes, this.#keys, this.#clears),
      memory: this.#cause === undefined ? this.#memory : undefined,
      positions: this.#cause === undefined ? this.#positions : new Map(),
      requests: { count: 0, seconds: 0, bytes: 0 },
      seconds,
    };
  }

  /** One line, bounded. */
  #asReason(text: string): string {
    const start = this.#facts.redact(text.slice(0, MAX_REASON * 2));
    return cut(start.replace(/\s*[\r\n]\s*/g, " "), MAX_REASON);
  }
}
