import type { ServerResponse } from "node:http";
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

test.each([
  ["a response", { timeout: 600 }, () => {}],
  [
    "another attempt",
    { attempts: 10 },
    (response: ServerResponse) => {
      response.writeHead(503, { "retry-after": "30" });
      response.end();
    },
  ],
])(
  "an alarm whose time is up while it waits for %s occupies no connection of others",
  async (_, options, answer) => {
    const server = await startServer((_request, response, url) => {
      if (url.pathname === "/modest") json(response, {});
      else answer(response);
    });
    const source = makeSource({ baseUrl: server.url });
    const alarm = new AbortController();
    const slow = shareOf(source, alarm.signal, always);
    const asked = Array.from({ length: 4 }, (_, index) =>
      slow.request({ path: `/slow/${index}`, query: {}, ...options }).catch(String),
    );
    await expect.poll(() => server.requests.length).toBe(4);
    const modest = shareOf(source, new AbortController().signal, always);
    const answered = modest.request({ path: "/modest", query: {} });
    alarm.abort(new Error("its time is up"));
    expect((await answered).status).toBe(200);
    expect(server.requests).toHaveLength(5);
    await Promise.all(asked);
    await server.close();
  },
);

test("a request goes on while another alarm waits for it, and is sent again for one that comes later", async () => {
  const held: ServerResponse[] = [];
  const server = await startServer((_request, response) => void held.push(response));
  const source = makeSource({ baseUrl: server.url });
  const [first, second, third] = [1, 2, 3].map(() => new AbortController());
  const ask = (alarm = new AbortController()) =>
    shareOf(source, alarm.signal, always).request({ path: "/x", query: {} });
  const given = ask(first).catch(String);
  const kept = ask(second);
  await expect.poll(() => held.length).toBe(1);
  first?.abort(new Error("its time is up"));
  for (const response of held) json(response, { a: 1 });
  expect((await kept).body.toString()).toBe('{"a":1}');
  await given;

  const alone = (path: string, alarm = new AbortController()) =>
    shareOf(source, alarm.signal, always).request({ path, query: {} });
  const ended = alone("/y", third).catch(String);
  await expect.poll(() => held.length).toBe(2);
  third?.abort(new Error("its time is up"));
  await ended;
  const again = alone("/y");
  await expect.poll(() => held.length).toBe(3);
  for (const response of held.slice(2)) json(response, { b: 2 });
  expect((await again).body.toString()).toBe('{"b":2}');
  await server.close();
});
