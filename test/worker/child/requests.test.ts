import { beforeEach, expect, test, vi } from "vitest";
import { Requests } from "../../../src/worker/child/requests.ts";
import type { WorkerMessage } from "../../../src/worker/worker_message.ts";
import { NOT_FOUND, textResponse } from "../../support/responses.ts";

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

test("a request becomes a message, and its response a body or an error", async () => {
  const requests = new Requests();
  const { request } = requests.requesterOf("main", "http");
  const [first, second, third] = [
    request({ path: "/a", query: { n: 1, none: null } }),
    request({ path: "/b", query: {}, allow404: true }),
    request({ path: "/c", query: {}, ahead: true }),
  ];
  const message = { type: "request", source: "main", query: {} };
  expect(sent).toEqual([
    { ...message, id: 1, path: "/a", query: { n: "1" } },
    { ...message, id: 2, path: "/b", allow404: true },
    { ...message, id: 3, path: "/c", ahead: true },
  ]);
  requests.respond(1, textResponse("{}"));
  requests.respond(2, NOT_FOUND);
  requests.fail(3, { kind: "status", status: 403, reason: "status 403" });
  expect(await first).toEqual(textResponse("{}"));
  expect(await second).toBe(NOT_FOUND);
  await expect(third).rejects.toThrow("status 403");
});

test("what one job left running gets no response and sends nothing in the name of the next", async () => {
  const old = new Requests();
  const response = old.requesterOf("main", "http").request({ path: "/list", query: {} });
  let settled = false;
  const settle = (): void => {
    settled = true;
  };
  response.then(settle, settle);
  old.close();
  old.respond(1, textResponse("late"));
  await expect(
    old.requesterOf("main", "http").request({ path: "/more", query: {} }),
  ).rejects.toThrow("has ended");
  await expect(old.ask("firing")).rejects.toThrow("has ended");
  await turn();
  expect(settled).toBe(false);
  expect(sent).toHaveLength(1);
});
