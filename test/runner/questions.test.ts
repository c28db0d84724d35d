import { beforeEach, expect, test, vi } from "vitest";
import type { FromRunner } from "../../src/modules/wire.ts";
import { Questions } from "../../src/runner/questions.ts";

const said: FromRunner[] = [];
vi.mock("../../src/runner/link.ts", () => {
  const say = (message: FromRunner): void => void said.push(message);
  return { say, sayQuestion: say };
});
beforeEach(() => {
  said.length = 0;
});

/** Lets what follows from a promise happen. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function askAhead(questions: Questions, path: string) {
  let need = (): void => {};
  const needed = new Promise<void>((resolve) => {
    need = resolve;
  });
  return { answer: questions.asker("main").ask(path, {}, false, needed), need };
}

const asks = (id: number, path: string, ahead: boolean) => {
  return { said: "ask", id, source: "main", path, query: {}, absentIsAnswer: false, ahead };
};

test("the engine is told once that the answer to what was asked ahead is needed", async () => {
  const questions = new Questions();
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
  const questions = new Questions();
  const { answer, need } = askAhead(questions, "/list");
  questions.answer(1, Buffer.from("{}"));
  need();
  expect(await answer).toEqual(Buffer.from("{}"));
  await turn();
  expect(said).toEqual([asks(1, "/list", true)]);
});

test("what one job left unanswered does not reach the next, nor is it needed in its name", async () => {
  const questions = new Questions();
  const { answer, need } = askAhead(questions, "/list");
  let settled = false;
  const settle = (): void => {
    settled = true;
  };
  answer.then(settle, settle);
  questions.forget();
  const next = questions.asker("main").ask("/next", {}, false);
  need();
  questions.answer(1, Buffer.from("late"));
  questions.fail(1, "late");
  questions.answer(2, Buffer.from("next"));
  expect(await next).toEqual(Buffer.from("next"));
  await turn();
  expect(settled).toBe(false);
  expect(said).toEqual([asks(1, "/list", true), asks(2, "/next", false)]);
});
