import { inTime } from "../source/in_time.ts";
import { type SharedSource, shareOf } from "../source/share.ts";
import { errorText } from "../text/describe.ts";
import type { OutcomeSoFar } from "./outcome.ts";
import type { ModuleRequest } from "./protocol.ts";
import type { Worker } from "./worker.ts";

/** Questions of one run: four of the longest lists that `client.pages` reads, a million items each at 200 a page. */
const MAX_QUESTIONS = 20_000;
/** MiB of answers that one run may read: a million tasks are 1,300. */
const MAX_ANSWERS = 2_048;
/** Bytes of answers that wait for the module to read them; with more, nothing is asked for it. */
const MAX_UNREAD = 4 * 2 ** 20;

export interface RequestFacts {
  readonly worker: Pick<Worker, "respond" | "send" | "unread" | "caughtUp">;
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
export interface RequestHandler {
  request(question: ModuleRequest): void;
  /** The module waits for the answer to a question that was asked ahead. */
  needs(id: number): void;
}

/**
 * Sends the module's questions to the sources. What fails is on the record before the module hears of it.
 * A question that was asked ahead counts from when the module needs its answer: until then its failure is
 * neither recorded nor passed on, and the module does not wait for it. It is tried once; if that fails, it is
 * asked again once it is needed.
 */
export function handleRequests(facts: RequestFacts): RequestHandler {
  const { worker, sources, soFar, signal } = facts;
  const ready = async (): Promise<void> => {
    if (worker.unread > MAX_UNREAD) await worker.caughtUp();
  };
  const shares = new Map(
    [...sources].map(([name, source]) => [name, shareOf(source, signal, ready)]),
  );
  let asked = 0;
  let read = 0;
  /** By the id of a question that was asked ahead and has not been answered: what makes it count. */
  const uncounted = new Map<number, () => void>();
  /** Sends a question. What it returns makes the question count. */
  const put = ({ id, source, path, query, allow404, ahead }: ModuleRequest): (() => void) => {
    asked += 1;
    const tooMuch = asksTooMuch(asked, read);
    if (tooMuch !== undefined) return () => facts.stop(tooMuch);
    const ask = async (needed?: Promise<void>): Promise<void> => {
      const share = shares.get(source);
      if (share === undefined) throw new Error(`no source ${source}`);
      const body = await inTime(share.request(path, query, allow404, needed), signal);
      uncounted.delete(id);
      read += body?.length ?? 0;
      worker.respond(id, body);
    };
    const answered = ask(ahead ? NOT_YET : undefined);
    answered.catch(() => {});
    return () => {
      soFar.requestStarted();
      const needed = ahead ? answered.catch(() => ask()) : answered;
      needed.then(
        () => soFar.requestEnded(),
        (error: unknown) => {
          if (signal.aborted) return;
          const reason = errorText(error);
          soFar.requestEnded();
          soFar.requestFailed(reason);
          worker.send({ do: "fail", id, reason });
        },
      );
    };
  };
  return {
    request: (question) => {
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
