import { errorText } from "../core/describe.ts";
import { inTime } from "../source/in_time.ts";
import { type SharedSource, shareOf } from "../source/share.ts";
import type { OutcomeSoFar } from "./outcome.ts";
import type { Runner } from "./runner.ts";
import type { Question } from "./wire.ts";

/** Questions of one run: four of the longest lists that `client.pages` reads, a million items each at 200 a page. */
const MAX_QUESTIONS = 20_000;
/** MiB of answers that one run may read: a million tasks are 1,300. */
const MAX_ANSWERS = 2_048;
/** Bytes of answers that wait for the module to read them; with more, nothing is asked for it. */
const MAX_UNREAD = 4 * 2 ** 20;

export interface AnswerFacts {
  readonly runner: Pick<Runner, "answer" | "send" | "unread" | "caughtUp">;
  readonly sources: ReadonlyMap<string, SharedSource>;
  readonly soFar: OutcomeSoFar;
  /** Aborted when the run is over. */
  readonly signal: AbortSignal;
  /** Ends the run: it asks for more than anyone can need. */
  readonly stop: (cause: string) => void;
}

/** Sends the module's questions to the sources. What fails is on the record before the module hears of it. */
export function answerer(facts: AnswerFacts): (question: Question) => void {
  const { runner, sources, soFar, signal } = facts;
  const ready = async (): Promise<void> => {
    if (runner.unread > MAX_UNREAD) await runner.caughtUp();
  };
  const shares = new Map(
    [...sources].map(([name, source]) => [name, shareOf(source, signal, ready)]),
  );
  let asked = 0;
  let read = 0;
  return ({ id, source, path, query, absentIsAnswer }) => {
    asked += 1;
    const tooMuch = asksTooMuch(asked, read);
    if (tooMuch !== undefined) {
      facts.stop(tooMuch);
      return;
    }
    soFar.asks();
    const ask = async (): Promise<Buffer | undefined> => {
      const share = shares.get(source);
      if (share === undefined) throw new Error(`no source ${source}`);
      return await share.ask(path, query, absentIsAnswer);
    };
    inTime(ask(), signal).then(
      (body) => {
        soFar.answered();
        read += body?.length ?? 0;
        runner.answer(id, body);
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

function asksTooMuch(asked: number, read: number): string | undefined {
  if (asked > MAX_QUESTIONS) return `detect asked more than ${MAX_QUESTIONS} questions`;
  if (read > MAX_ANSWERS * 2 ** 20) return `detect read more than ${MAX_ANSWERS} MiB of answers`;
  return undefined;
}
