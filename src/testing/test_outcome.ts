import { unescapeKey } from "../core/detection.ts";
import type { Clear, Detection, Outcome, ScopedGap } from "../core/model.ts";
import type { JsonObject, JsonValue } from "../text/json.ts";
import type { TestRequest } from "./test_responses.ts";

/** What one run of `detect` returned, as plain values. */
export interface TestOutcome {
  /**
   * `complete`: it saw everything, and what it did not detect would clear. `partial` and `failed`: nothing clears that it
   * does not clear itself; `reasons` says why.
   */
  readonly status: "complete" | "partial" | "failed";
  /** Why it is not complete; empty if it is. */
  readonly reasons: readonly string[];
  /** In the order of the first yield; of several with the same key the first one. */
  readonly detections: readonly TestDetection[];
  /** What it yielded to end events. */
  readonly clears: readonly Clear[];
  /** What is worth knowing, and leaves it complete. */
  readonly notes: readonly string[];
  /** The beginnings of keys about which it proves nothing, although it may be complete. */
  readonly scopes: readonly ({ readonly prefix: string } & ScopedGap)[];
  /** The last value of `client.remember`; undefined if it remembered nothing. */
  readonly memory: JsonValue | undefined;
  /**
   * What the services received, in this order. As in a tick, the same GET is sent once, and the next page of a list before
   * it is needed; unlike in a tick, a request that fails is not sent again.
   */
  readonly requests: readonly TestRequest[];
  /** The lines of `client.log`. */
  readonly log: readonly string[];
}

/** A detection as the engine records it: a missing text is empty or the key, and values are plain JSON. */
export interface TestDetection extends Required<Omit<Detection, "severity" | "stage">> {
  readonly data: JsonObject;
  readonly recipients: readonly string[];
  /** Absent unless it has one that exists. */
  readonly severity?: NonNullable<Detection["severity"]>;
  readonly stage?: string;
}

export function testOutcome(
  outcome: Outcome,
  requests: readonly TestRequest[],
  log: readonly string[],
): TestOutcome {
  const { status, reasons, detections, levels, clears, notes, scopes, memory } = outcome;
  const { keys, goneReasons = new Map<string, string>() } = outcome;
  return {
    status,
    reasons,
    detections: [...detections].map(([key, { subject, body, data, recipients }]) => {
      const { severity, stage } = levels.get(key) ?? {};
      return {
        dedupeKey: unescapeKey(key),
        subject,
        body,
        data,
        recipients,
        ...(severity === undefined ? {} : { severity }),
        ...(stage === undefined ? {} : { stage }),
      };
    }),
    clears: [
      ...[...clears].map(([key, clear]) => ({ dedupeKey: unescapeKey(key), clear })),
      ...[...goneReasons]
        .filter(([key]) => !keys.has(key) && !clears.has(key))
        .map(([key, clear]) => ({ dedupeKey: unescapeKey(key), clear, ifGone: true })),
    ],
    notes,
    scopes: [...scopes].map(([prefix, gap]) => ({ prefix: unescapeKey(prefix), ...gap })),
    memory: memory === undefined ? undefined : JSON.parse(memory),
    requests,
    log,
  };
}
