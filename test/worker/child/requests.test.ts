import { beforeEach, expect, test, vi } from "vitest";
import { Requests } from "../../../src/worker/child/requests.ts";
import type { FromWorker } from "../../../src/worker/protocol.ts";

const said: FromWorker[] = [];
vi.mock("../../../src/worker/child/link.ts", () => {
  const say = (message: FromWorker): void => void said.push(message);
  return { send: say, sendRequest: say };
});
beforeEach(() => {
  said.length = 0;
});

/** Lets what follows from a promise happen. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function askAhead(questions: Requests, path: string) {
  let need = (): void => {};
  const needed = new Promise<void>((resolve) => {
    need = resolve;
  });
  return { answer: questions.requesterOf("main").request(path, {}, false, needed), need };
}

const asks = (id: number, path: string, ahead: boolean) => {
  return { said: "request", id, source: "main", path, query: {}, allow404: false, ahead };
};

test("the engine is told once that the answer to what was asked ahead is needed", async () => {
  const questions = new Requests();
  const { answer, need } = askAhead(questions, "/list");
  expect(said).toEqual([asks(1, "/list", true)]);
  need();
  need();
  await turn();
  expect(said.slice(1)).toEqual([{ said: "needs", id: 1 }]);
  questions.fail(1, "status 403");
  await expect(answer).rejects.toThrow("status 403");
});

test("and not at all where the answer is there already", async () => {
  const questions = new Requests();
  const { answer, need } = askAhead(questions, "/list");
  questions.respond(1, Buffer.from("{}"));
  need();
  expect(await answer).toEqual(Buffer.from("{}"));
  await turn();
  expect(said).toEqual([asks(1, "/list", true)]);
});

test("what one job left unanswered does not reach the next, nor is it needed in its name", async () => {
  const questions = new Requests();
  const { answer, need } = askAhead(questions, "/list");
  let settled = false;
  const settle = (): void => {
    settled = true;
  };
  answer.then(settle, settle);
  questions.forget();
  const next = questions.requesterOf("main").request("/next", {}, false);
  need();
  questions.respond(1, Buffer.from("late"));
  questions.fail(1, "late");
  questions.respond(2, Buffer.from("next"));
  expect(await next).toEqual(Buffer.from("next"));
  await turn();
  expect(settled).toBe(false);
  expect(said).toEqual([asks(1, "/list", true), asks(2, "/next", false)]);
});
