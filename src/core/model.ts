import type { JsonObject } from "../text/json.ts";
import type { Ack } from "./ack.ts";
import type { Level, Severity } from "./level.ts";
import type { RenotifyRule } from "./renotify.ts";
import type { SettleRule } from "./settle.ts";

/** The vocabulary: plain data that several folders use. Times are epoch seconds, as in the tables. */

/** One entity that meets an alarm's condition now; its `dedupeKey` names the entity. */
export interface Detection {
  /** Stable name of the entity, e.g. `task:38949`. The same key twice in one tick is one event. */
  readonly dedupeKey: string;
  /** One line, shown as the event's title and in the mail; else the key stands for it. */
  readonly subject?: string;
  /** Plain text with the details, shown below the subject. */
  readonly body?: string;
  /** Facts kept on the event row at the time it fires, shown on the dashboard. */
  readonly data?: { readonly [key: string]: unknown };
  /** Addresses and `@team` names that are notified of it beside those of the alarm; a text has blanks between them. */
  readonly recipients?: string | readonly string[];
  /** How bad it is; else the alarm's own severity counts. More than ever before is news. */
  readonly severity?: Severity;
  /** How far it has come: one of the module's `STAGES`. A later one than ever before is news. */
  readonly stage?: string;
}

/** What a module yields to end an event, although its outcome may not prove that the entity is gone. */
export interface Clear {
  readonly dedupeKey: string;
  /** Why, for people. */
  readonly clear: string;
}

/** A detection made safe to store; `data` holds none of the engine's own keys. */
export interface SafeDetection extends Required<Omit<Detection, "severity" | "stage">> {
  readonly data: JsonObject;
  readonly recipients: readonly string[];
  /** As yielded, so that it may be none; `Outcome.levels` has what counts. */
  readonly severity?: string;
  readonly stage?: string;
}

/** What one run of `detect` returned. Only a `complete` outcome may clear events. */
export interface Outcome {
  readonly status: "complete" | "partial" | "failed";
  /** What caused a failure; undefined if the outcome is not `failed`. */
  readonly cause: "module" | "source" | "row" | undefined;
  /** Why it is not complete; empty if it is. */
  readonly reasons: readonly string[];
  /** The dedupe keys of everything that was detected, in the order of the first yield. */
  readonly keys: ReadonlySet<string>;
  /** The detections that rows and mails need, by dedupe key. */
  readonly detections: ReadonlyMap<string, SafeDetection>;
  /** By dedupe key, the severity and the stage of detections that have one of their own. */
  readonly levels: ReadonlyMap<string, Level>;
  /** By dedupe key, why the module says that an event has ended; none of `keys`. */
  readonly clears: ReadonlyMap<string, string>;
  /** What is worth knowing, and leaves it complete. */
  readonly notes: readonly string[];
  /** Whether it proves nothing about a dedupe key, although it is `complete`; absent if it covers all keys. */
  readonly unknown?: (dedupeKey: string) => boolean;
  /** By the beginning of dedupe keys, why the outcome proves nothing about those keys, although it may be `complete`. */
  readonly scopes: ReadonlyMap<string, ScopedGap>;
  /** What the module wants to keep for the next ticks, as JSON; undefined if it is nothing new, or the outcome failed. */
  readonly memory: string | undefined;
  /** How far it has read its spools, as JSON by the name of the source, where that is news; empty if the outcome failed. */
  readonly positions: ReadonlyMap<string, string>;
  readonly requests: RequestUse;
  readonly seconds: number;
}

/** Why an outcome proves nothing about some keys. */
export interface ScopedGap {
  readonly reason: string;
  /** Whether the module detected or cleared something under the prefix, so that the gap is no error of its own. */
  readonly isReported: boolean;
}

/** What one run of `detect` requested. */
export interface RequestUse {
  readonly count: number;
  /** Of all requests together, in which it waited for responses. */
  readonly seconds: number;
  /** Of the responses, decompressed. */
  readonly bytes: number;
}

/** An alarm's configuration row, parsed; an invalid value is replaced and listed in `faults`. */
export interface AlarmRow {
  /** UUID of the row. */
  readonly id: string;
  /** `alarm_<name>`, the key of the alarm in the run record. */
  readonly entryId: string;
  /** The alarm's name: `entryId` without its prefix. */
  readonly name: string;
  /** Name of the module file that holds its `detect`. */
  readonly module: string;
  readonly title: string;
  /** Head of the mail. */
  readonly description: string;
  /** Whether the alarm notifies; it detects and records either way. */
  readonly enabled: boolean;
  /** The channels that it names; empty if it uses the default ones. */
  readonly channels: readonly string[];
  /** Whether the end of an event that was notified is news. */
  readonly notifyClear: boolean;
  /** As typed: addresses and `@team` names. */
  readonly recipients: readonly string[];
  readonly renotify: RenotifyRule;
  /** Of detections that have none of their own. */
  readonly severity: Severity | undefined;
  /** When a detection becomes an event; undefined: at once. */
  readonly settle: SettleRule | undefined;
  /** When an event clears that is no longer detected; undefined: at once. */
  readonly clearAfter: SettleRule | undefined;
  readonly params: JsonObject;
  /** The row's own limits; the configuration has the others. */
  readonly limits: Partial<DetectLimits>;
  readonly archived: boolean;
  /** What is wrong with the row, for the person who edits it. */
  readonly faults: readonly string[];
  /** Why the alarm cannot run; undefined if it can. */
  readonly blocker: string | undefined;
}

/** What one run of one alarm's `detect` may use. */
export interface DetectLimits {
  /** Seconds. */
  readonly timeout: number;
  /** MiB, of the process that it runs in. */
  readonly memory: number;
  readonly detections: number;
}

/** An event that is still firing. */
export interface ActiveEvent {
  /** UUID of the row. */
  readonly id: string;
  readonly dedupeKey: string;
  readonly fireTime: number;
  readonly notices: Notices;
  /** What its row has; absent without both. */
  readonly level?: Level;
  /** The highest severity and the latest stage that it has had; absent where it has had none. */
  readonly peak?: Level | undefined;
  /** When it was first detected, if it had to settle. */
  readonly firstSeen?: number | undefined;
  /** When the clear guard held its clear; absent unless it is held. */
  readonly clearHeldAt?: number | undefined;
}

/** What an event's row says about its notifications. */
export interface Notices {
  /** Epoch seconds of its latest news; undefined counts as its `fireTime`. */
  readonly newsAt: number | undefined;
  readonly news: News;
  /** By channel, the time of the tick that composed the last notification that was delivered. */
  readonly notified: ByChannel<number>;
  /** By channel, to whom that went, as written. */
  readonly to: ByChannel<readonly string[]>;
  /** Its own recipients, beside those of the alarm, as written. */
  readonly recipients: readonly string[];
  /** By channel, how many reminders were delivered since the latest news, or since an acknowledgement ended. */
  readonly reminders: ByChannel<number>;
  readonly ack: Ack | undefined;
}

export type News = "fired" | "severity" | "stage" | "cleared";

export interface ByChannel<T> {
  readonly [channel: string]: T;
}

/** The active events of one alarm, by dedupe key. */
export type ActiveEvents = ReadonlyMap<string, ActiveEvent>;

/** An active event, as its alarm's module sees it. */
export interface FiringEvent {
  readonly dedupeKey: string;
  /** Epoch seconds of when it fired. */
  readonly since: number;
  readonly severity: Severity | undefined;
  readonly stage: string | undefined;
  /** The `data` of the detection that fired. */
  readonly data: JsonObject;
}

/** What a module remembered; `T` is its author's claim. */
export interface Remembered<T> {
  /** Epoch seconds of the tick that remembered it. */
  readonly at: number;
  readonly value: T;
}

/** `@name`, an alias for addresses. */
export interface Team {
  readonly name: string;
  readonly title: string;
  readonly members: readonly string[];
}

/** `tick` works in full; `dry-run` writes state and sends nothing; `plan` writes nothing. */
export type Mode = "tick" | "dry-run" | "plan";
