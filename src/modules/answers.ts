import pLimit from "p-limit";
import { errorText } from "../core/describe.ts";
import type { Asker } from "../source/client.ts";
import { inTime } from "../source/in_time.ts";
import { shareOf } from "../source/share.ts";
import type { OutcomeSoFar } from "./outcome.ts";
import type { Runner } from "./runner.ts";
import type { Question } from "./wire.ts";

/** Questions of one run at the same time; the others wait here, not before those of other alarms. */
const AT_ONCE = 8;
/** Questions of one run: at 200 items a page, four million items. */
const MAX_QUESTIONS = 20_000;
/** Characters of answers that one run may read. */
const MAX_ANSWERS = 512 * 2 ** 20;
/** Bytes of answers that wait for the module to read them. */
const MAX_UNREAD = 64 * 2 ** 20;

export interface AnswerFacts {
  readonly runner: Runner;
  readonly sources: ReadonlyMap<string, Asker>;
  readonly soFar: OutcomeSoFar;
  /** Aborted when the run is over. */
  readonly signal: AbortSignal;
  /** Ends the run: it asks for more than anyone can need. */
  readonly stop: (cause: string) => void;
}

/** Sends the module's questions to the sources. What fails is on the record before the module hears of it. */
export function answerer(facts: AnswerFacts): (question: Question) => void {
  const { runner, sources, soFar, signal } = facts;
  const limit = pLimit(AT_ONCE);
  const shares = new Map([...sources].map(([name, source]) => [name, shareOf(source, signal)]));
  let asked = 0;
  let read = 0;
  return ({ id, source, path, query, absentIsAnswer }) => {
    asked += 1;
    const tooMuch = asksTooMuch(asked, read, runner.unread);
    if (tooMuch !== undefined) {
      facts.stop(tooMuch);
      return;
    }
    soFar.asks();
    const asker = shares.get(source);
    const pending = limit(async () => {
      signal.throwIfAborted();
      if (asker === undefined) throw new Error(`no source ${source}`);
      return await asker.ask(path, query, absentIsAnswer);
    });
    inTime(pending, signal).then(
      (text) => {
        soFar.answered();
        read += text?.length ?? 0;
        runner.send({ do: "answer", id, text: text ?? null });
      },
      (error: unknown) => {
        if (signal.aborted) return;
        const reason = errorText(error);
        soFar.answered();
        soFar.sourceFailed(reason);
        runner.send({ do: "fail", id, reason });
      },
    );
  };
}

function asksTooMuch(asked: number, read: number, unread: number): string | undefined {
  if (asked > MAX_QUESTIONS) return `detect asked more than ${MAX_QUESTIONS} questions`;
  if (read > MAX_ANSWERS) return `detect read more than ${MAX_ANSWERS / 2 ** 20} MiB of answers`;
  if (unread > MAX_UNREAD)
    return `detect asks on and on and leaves ${MAX_UNREAD / 2 ** 20} MiB of answers unread`;
  return undefined;
}
