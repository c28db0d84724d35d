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

/** Whether the module needs the answer is said by a message of its own. */
const NOT_YET = new Promise<void>(() => {});

/** The questions of one run. */
export interface Answerer {
  ask(question: Question): void;
  /** The module waits for the answer to a question that was asked ahead. */
  needs(id: number): void;
}

/**
 * Sends the module's questions to the sources. What fails is on the record before the module hears of it.
 * A question that was asked ahead counts from when the module needs its answer: until then its failure is
 * neither recorded nor passed on, and the module does not wait for it. It is tried once; if that fails, it is
 * asked again once it is needed.
 */
export function answerer(facts: AnswerFacts): Answerer {
  const { runner, sources, soFar, signal } = facts;
  const ready = async (): Promise<void> => {
    if (runner.unread > MAX_UNREAD) await runner.caughtUp();
  };
  const shares = new Map(
    [...sources].map(([name, source]) => [name, shareOf(source, signal, ready)]),
  );
  let asked = 0;
  let read = 0;
  /** By the id of a question that was asked ahead and has not been answered: what makes it count. */
  const uncounted = new Map<number, () => void>();
  /** Sends a question. What it returns makes the question count. */
  const put = ({ id, source, path, query, absentIsAnswer, ahead }: Question): (() => void) => {
    asked += 1;
    const tooMuch = asksTooMuch(asked, read);
    if (tooMuch !== undefined) return () => facts.stop(tooMuch);
    const ask = async (needed?: Promise<void>): Promise<void> => {
      const share = shares.get(source);
      if (share === undefined) throw new Error(`no source ${source}`);
      const body = await inTime(share.ask(path, query, absentIsAnswer, needed), signal);
      uncounted.delete(id);
      read += body?.length ?? 0;
      runner.answer(id, body);
    };
    const answered = ask(ahead ? NOT_YET : undefined);
    answered.catch(() => {});
    return () => {
      soFar.asks();
      const needed = ahead ? answered.catch(() => ask()) : answered;
      needed.then(
        () => soFar.answered(),
        (error: unknown) => {
          if (signal.aborted) return;
          const reason = errorText(error);
          soFar.answered();
          soFar.sourceFailed(reason);
          runner.send({ do: "fail", id, reason });
        },
      );
    };
  };
  return {
    ask: (question) => {
      const count = put(question);
      if (question.ahead) uncounted.set(question.id, count);
      else count();
    },
    needs: (id) => {
      uncounted.get(id)?.();
      uncounted.delete(id);
    },
  };
}

function asksTooMuch(asked: number, read: number): string | undefined {
  if (asked > MAX_QUESTIONS) return `detect asked more than ${MAX_QUESTIONS} questions`;
  if (read > MAX_ANSWERS * 2 ** 20) return `detect read more than ${MAX_ANSWERS} MiB of answers`;
  return undefined;
}
