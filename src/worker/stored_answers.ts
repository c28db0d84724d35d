import { inTime } from "../core/in_time.ts";
import type { FiringEvent, Remembered } from "../core/model.ts";
import { errorText } from "../text/describe.ts";
import type { JsonValue } from "../text/json.ts";
import type { OutcomeSoFar } from "./outcome.ts";
import type { Worker } from "./worker.ts";

/** What the engine has stored of an alarm. */
export interface StoredFacts {
  /** The dedupe keys of the alarm's active events. */
  readonly firing: () => readonly string[];
  /** Those events. */
  readonly firingEvents: () => Promise<readonly FiringEvent[]>;
  /** What an earlier tick remembered. */
  readonly previous: () => Promise<Remembered<JsonValue> | undefined>;
  /** How far it has read its spools, by the name of the source. */
  readonly positions: () => Promise<{ readonly [source: string]: string }>;
}

export type Question = "firing" | "firing events" | "previous" | "positions";

/**
 * Answers the questions of one run until `signal`. What is asked for is read once, however often the module asks; the
 * function that is returned never rejects.
 */
export function storedAnswers(
  facts: StoredFacts,
  worker: Pick<Worker, "answer" | "send">,
  soFar: OutcomeSoFar,
  signal: AbortSignal,
): (id: number, question: Question) => Promise<void> {
  const read = {
    firing: async () => facts.firing(),
    "firing events": facts.firingEvents,
    previous: facts.previous,
    positions: facts.positions,
  };
  const stored = new Map<Question, Promise<unknown>>();
  return async (id, question) => {
    const found = stored.get(question) ?? read[question]();
    stored.set(question, found);
    try {
      const value = await inTime(found, signal);
      worker.answer(id, value ?? null);
    } catch (error) {
      // The process may run another job by now, which counts its questions in the same way.
      if (signal.aborted) return;
      const reason = `cannot read what is stored of the alarm: ${errorText(error)}`;
      soFar.incomplete(reason);
      worker.send({ type: "fail", id, failure: { kind: "connection", reason } });
    }
  };
}
