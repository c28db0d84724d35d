import { afterEach, expect, test } from "vitest";
import { shareOf } from "../../src/source/share.ts";
import { json, startServer } from "../support/http_server.ts";
import { closeSources, makeSource } from "../support/sources.ts";

afterEach(closeSources);

const always = async (): Promise<void> => {};

test("an alarm that makes thousands of requests at once does not block another one", async () => {
  const server = await startServer((_request, response) => json(response, {}));
  const source = makeSource({ baseUrl: server.url });
  const alarm = new AbortController();
  const greedy = shareOf(source, alarm.signal, always);
  const modest = shareOf(source, new AbortController().signal, always);
  const asked = Array.from({ length: 5_000 }, (_, index) =>
    greedy.request({ path: `/greedy/${index}`, query: {} }).catch((error: unknown) => error),
  );
  await modest.request({ path: "/modest", query: {} });
  alarm.abort(new Error("its time is up"));
  // Four were in the queue before it, and up to four more may have followed each of them.
  expect(server.requests.indexOf("/modest")).toBeLessThan(12);
  expect(String((await Promise.all(asked)).at(-1))).toBe("Error: its time is up");
  await source.request({ path: "/last", query: {} });
  expect(server.requests.length).toBeLessThan(100);
  await server.close();
});

test("a share returns the responses of its source, its 404s and its errors", async () => {
  const server = await startServer((_request, response, url) =>
    json(response, { a: 1 }, url.pathname === "/none" ? 404 : 200),
  );
  const share = shareOf(makeSource({ baseUrl: server.url }), new AbortController().signal, always);
  const found = await share.request({ path: "/x", query: { b: 2 } });
  expect(found).toMatchObject({ status: 200, body: Buffer.from('{"a":1}') });
  const none = await share.request({ path: "/none", query: {}, allow404: true });
  expect(none.status).toBe(404);
  await expect(share.request({ path: "/none", query: {} })).rejects.toThrow("status 404");
  expect(server.requests).toEqual(["/x?b=2", "/none"]);
  await server.close();
});

test("a request is not sent before its alarm is ready for the response", async () => {
  const server = await startServer((_request, response) => json(response, {}));
  const source = makeSource({ baseUrl: server.url });
  let hasRead = (): void => {};
  const ready = new Promise<void>((resolve) => {
    hasRead = resolve;
  });
  const busy = shareOf(source, new AbortController().signal, () => ready);
  const asked = Array.from({ length: 10 }, (_, index) =>
    busy.request({ path: `/busy/${index}`, query: {} }),
  );
  await source.request({ path: "/another", query: {} });
  expect(server.requests).toEqual(["/another"]);
  hasRead();
  await Promise.all(asked);
  expect(server.requests).toHaveLength(11);
  await server.close();
});

test.each([1, 4, 9])(
  "however many alarms there are, a service gets at most %d requests side by side",
  async (maxConnections) => {
    let underWay = 0;
    let most = 0;
    const server = await startServer((_request, response) => {
      underWay += 1;
      most = Math.max(most, underWay);
      setTimeout(() => {
        underWay -= 1;
        json(response, {});
      }, 5);
    });
    const source = makeSource({ baseUrl: server.url, maxConnections });
    const { signal } = new AbortController();
    const alarms = Array.from({ length: 20 }, () => shareOf(source, signal, always));
    await Promise.all(
      alarms.flatMap((alarm, name) =>
        Array.from({ length: 5 }, (_, index) =>
          alarm.request({ path: `/${name}/${index}`, query: {} }),
        ),
      ),
    );
    expect(most).toBe(maxConnections);
    expect(server.requests).toHaveLength(100);
    await server.close();
  },
);
