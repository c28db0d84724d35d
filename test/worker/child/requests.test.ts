import { beforeEach, expect, test, vi } from "vitest";
import { Requests } from "../../../src/worker/child/requests.ts";
import type { WorkerMessage } from "../../../src/worker/worker_message.ts";

const sent: WorkerMessage[] = [];
vi.mock("../../../src/worker/child/link.ts", () => {
  const record = (message: WorkerMessage): void => void sent.push(message);
  return { send: record };
});
beforeEach(() => {
  sent.length = 0;
});

/** Waits for what follows from a promise. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function sendAhead(requests: Requests, path: string) {
  let need = (): void => {};
  const needed = new Promise<void>((resolve) => {
    need = resolve;
  });
  return { response: requests.requesterOf("main").request(path, {}, false, needed), need };
}

const sentAs = (id: number, path: string, ahead: boolean) => {
  return { type: "request", id, source: "main", path, query: {}, allow404: false, ahead };
};

test("the engine hears once that the response to a request sent ahead is needed", async () => {
  const requests = new Requests();
  const { response, need } = sendAhead(requests, "/list");
  expect(sent).toEqual([sentAs(1, "/list", true)]);
  need();
  need();
  await turn();
  expect(sent.slice(1)).toEqual([{ type: "needs", id: 1 }]);
  requests.fail(1, "status 403");
  await expect(response).rejects.toThrow("status 403");
});

test("and not at all if the response is there already", async () => {
  const requests = new Requests();
  const { response, need } = sendAhead(requests, "/list");
  requests.respond(1, Buffer.from("{}"));
  need();
  expect(await response).toEqual(Buffer.from("{}"));
  await turn();
  expect(sent).toEqual([sentAs(1, "/list", true)]);
});

test("what one job left running gets no response and sends nothing in the name of the next", async () => {
  const old = new Requests();
  const { response, need } = sendAhead(old, "/list");
  let settled = false;
  const settle = (): void => {
    settled = true;
  };
  response.then(settle, settle);
  old.close();
  need();
  old.respond(1, Buffer.from("late"));
  await expect(old.requesterOf("main").request("/more", {}, false)).rejects.toThrow("has ended");
  await expect(old.firing()).rejects.toThrow("has ended");
  await turn();
  expect(settled).toBe(false);
  expect(sent).toEqual([sentAs(1, "/list", true)]);
});
