import type { Outcome } from "./model.ts";
import type { SourceState } from "./source_state.ts";

/** What one tick knows about the engine. Times are epoch seconds. */
export interface EngineFacts {
  readonly now: number;
  /** Whether the tick ran all alarms to their end and delivered. Any other clears nothing. */
  readonly isWhole: boolean;
  /** The configured sources. */
  readonly sources: readonly {
    readonly name: string;
    /** Whether this tick sent it a request. */
    readonly requested: boolean;
    /** Whether any alarm uses it. */
    readonly isUsed: boolean;
    /** After this tick; undefined if it responds. */
    readonly state: SourceState | undefined;
  }[];
  /** Seconds that a source must be unreachable. */
  readonly unreachableAfter: number;
  readonly alarms: readonly AlarmFacts[];
  readonly channels: readonly {
    readonly name: string;
    readonly attempted: boolean;
    /** Why nothing can be delivered through it, wrong settings included. */
    readonly error: string | undefined;
  }[];
  /** Refused by a service, or invalid, in this tick; once for each alarm. */
  readonly recipients: readonly {
    readonly address: string;
    readonly reason: string;
    readonly alarm: string;
  }[];
  /** Addresses to which a delivery was confirmed in this tick. */
  readonly reached: ReadonlySet<string>;
  /** Addresses of all alarms whose notifications are on. */
  readonly current: ReadonlySet<string>;
  /** Starts of the ticks that this one found to have crashed. */
  readonly crashed: readonly number[];
  /** Starts of earlier ticks over all alarms, also of skipped ones. */
  readonly starts: readonly number[];
  /** Why `now` is not certain; undefined if it is. */
  readonly clockDoubt: string | undefined;
}

/** What one tick knows about an alarm. */
export interface AlarmFacts {
  readonly name: string;
  readonly title: string;
  /** As written; empty if its notifications are off. */
  readonly recipients: readonly string[];
  /** Its own: why its outcome is not complete, and what is wrong with its row; not deliveries, not recipients. */
  readonly errors: readonly string[];
  readonly cause: Outcome["cause"];
  /** `next` says when it is tried again. */
  readonly quarantine:
    | {
        readonly since: number;
        readonly failures: number;
        readonly cause: string;
        readonly next: string;
      }
    | undefined;
  /** Whether this tick found out if it fails. */
  readonly looked: boolean;
}
