import { afterEach, expect, test } from "vitest";
import { shareOf } from "../../src/source/share.ts";
import { json, startServer } from "../support/http_server.ts";
import { closeSources, makeSource } from "../support/sources.ts";

afterEach(closeSources);

test("an alarm that asks thousands of questions at once does not keep another one waiting", async () => {
  const server = await startServer((_request, response) => json(response, {}));
  const source = makeSource({ baseUrl: server.url });
  const alarm = new AbortController();
  const greedy = shareOf(source, alarm.signal);
  const modest = shareOf(source, new AbortController().signal);
  const asked = Array.from({ length: 5_000 }, (_, index) =>
    greedy.ask(`/greedy/${index}`, {}, false).catch((error: unknown) => error),
  );
  await modest.ask("/modest", {}, false);
  alarm.abort(new Error("its time is up"));
  // Four were in the queue before it, and up to four more may have followed each of them.
  expect(server.requests.indexOf("/modest")).toBeLessThan(12);
  expect(String((await Promise.all(asked)).at(-1))).toBe("Error: its time is up");
  await source.ask("/last", {}, false);
  expect(server.requests.length).toBeLessThan(100);
  await server.close();
});

test("a share gives the answers of its source, its 404s and its failures", async () => {
  const server = await startServer((_request, response, url) =>
    json(response, { a: 1 }, url.pathname === "/none" ? 404 : 200),
  );
  const share = shareOf(makeSource({ baseUrl: server.url }), new AbortController().signal);
  expect(await share.ask("/x", { b: 2 }, false)).toBe('{"a":1}');
  expect(await share.ask("/none", {}, true)).toBeUndefined();
  await expect(share.ask("/none", {}, false)).rejects.toThrow("status 404");
  expect(server.requests).toEqual(["/x?b=2", "/none"]);
  await server.close();
});
