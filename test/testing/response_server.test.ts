import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { serveResponses } from "../../src/testing/response_server.ts";
import type { TestRequest } from "../../src/testing/test_responses.ts";

const NOW = Date.UTC(2026, 7, 20, 12) / 1000;

async function serve(responses: { readonly [path: string]: unknown }) {
  const requests: TestRequest[] = [];
  const errors: unknown[] = [];
  const server = await serveResponses({
    source: "main",
    responses: new Map(Object.entries(responses)),
    now: NOW,
    onRequest: (request) => requests.push(request),
    onError: (error) => errors.push(error),
  });
  onTestFinished(() => server.close());
  return { requests, errors, url: (path: string) => `${server.baseUrl}${path}` };
}

/** A file with this ending, as a URL. */
function file(name: string, content: string): URL {
  const folder = mkdtempSync(join(tmpdir(), "swf-alarms-responses-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, name), content);
  return pathToFileURL(join(folder, name));
}

describe("is sent", () => {
  const json = "application/json";
  const text = "text/plain; charset=utf-8";
  test.each<readonly [string, () => unknown, number, string | null, string]>([
    ["an object", () => ({ a: [1] }), 200, json, '{"a":[1]}'],
    ["a list", () => [1, 2], 200, json, "[1,2]"],
    ["null", () => null, 200, json, "null"],
    ["a text as it is", () => "up 1\n", 200, text, "up 1\n"],
    ["a status with JSON", () => ({ status: 404, body: { e: 1 } }), 404, json, '{"e":1}'],
    ["a status with a text", () => ({ status: 503, body: "out" }), 503, text, "out"],
    ["a status alone", () => ({ status: 404 }), 404, json, "{}"],
    [
      "an object with a status of its own",
      () => ({ status: "done" }),
      200,
      json,
      '{"status":"done"}',
    ],
    [
      "an object with more than a status",
      () => ({ status: 404, id: 1 }),
      200,
      json,
      '{"status":404,"id":1}',
    ],
    [
      "a status with a type",
      () => ({ status: 404, body: "<p>", headers: { "Content-Type": "text/html" } }),
      404,
      "text/html",
      "<p>",
    ],
    [
      "a file of JSON as it is",
      () => file("a.json", '{"id":9007199254740993}'),
      200,
      json,
      '{"id":9007199254740993}',
    ],
    ["a file of CSV", () => file("a.csv", "a,b\n"), 200, "text/csv; charset=utf-8", "a,b\n"],
    ["any other file", () => file("a.prom", "up 1\n"), 200, text, "up 1\n"],
    ["a file with a status", () => ({ status: 500, body: file("a.json", "[]") }), 500, json, "[]"],
    ["what a function returns", () => () => ({ status: 404, body: [] }), 404, json, "[]"],
    ["what a function resolves to", () => async () => file("a.json", "[]"), 200, json, "[]"],
    ["a Response", () => Response.json({ a: 1 }, { status: 201 }), 201, json, '{"a":1}'],
    [
      "a Response that a function returns",
      () => () => new Response("x", { status: 500 }),
      500,
      "text/plain;charset=UTF-8",
      "x",
    ],
  ])("%s", async (_, value, status, type, body) => {
    const { url, errors } = await serve({ "/a/": value() });
    for (let time = 0; time < 2; time++) {
      const response = await fetch(url("/a/?x=1"));
      expect([
        response.status,
        response.headers.get("content-type"),
        await response.text(),
      ]).toEqual([status, type, body]);
      expect(response.headers.get("date")).toBe("Thu, 20 Aug 2026 12:00:00 GMT");
    }
    expect(errors).toEqual([]);
  });

  test("with the headers of the test, also the clock", async () => {
    const headers = { Link: "</a/?page=2>; rel=next", Date: "Thu, 20 Aug 2026 11:00:00 GMT" };
    const { url } = await serve({ "/a/": { status: 200, body: [], headers } });
    const { headers: sent } = await fetch(url("/a/"));
    expect([sent.get("link"), sent.get("date")]).toEqual([headers.Link, headers.Date]);
  });

  test("nothing by Response.error(): the connection breaks", async () => {
    const { url, errors } = await serve({ "/a/": Response.error() });
    await expect(fetch(url("/a/"))).rejects.toThrow("fetch failed");
    expect(errors).toEqual([]);
  });
});

describe("what a test gets of a request", () => {
  test("GET: its path and its query", async () => {
    const { url, requests } = await serve({ "/a/": (request: TestRequest) => request });
    const seen = { source: "main", method: "GET", path: "/a/", query: { x: "1", y: "a b" } };
    expect(await (await fetch(url("/a/?x=1&y=a%20b"))).json()).toEqual(seen);
    expect(requests).toEqual([seen]);
  });

  test.each([
    ["JSON", "application/json", '{"query":"{ a }"}', { query: "{ a }" }],
    ["JSON of another type", "application/graphql+json; charset=utf-8", "[1]", [1]],
    ["a text", "text/plain; charset=utf-8", "a ü", "a ü"],
  ])("POST: also its body, as %s", async (_, type, body, expected) => {
    const { url, requests } = await serve({ "/a/": {} });
    await fetch(url("/a/"), { method: "POST", body, headers: { "content-type": type } });
    expect(requests).toMatchObject([{ method: "POST", body: expected }]);
  });
});

describe("a response that cannot be sent is an error of the test", () => {
  test.each<readonly [string, unknown, RegExp]>([
    [
      "a function that throws",
      () => {
        throw new Error("no luck");
      },
      /no luck/,
    ],
    ["a function that returns nothing", () => {}, /undefined is not a response/],
    ["a file that is not there", new URL("file:///no/such.json"), /ENOENT.*such\.json/],
    ["a URL of another kind", new URL("https://host.example/a.json"), /scheme file/],
    [
      "a status that HTTP does not have",
      { status: 99 },
      /status is 99; it must be from 200 to 599/,
    ],
    ["a value that JSON does not have", { a: 1n }, /BigInt/],
  ])("%s", async (_, value, message) => {
    const { url, errors } = await serve({ "/a/": value });
    await expect(fetch(url("/a/"))).rejects.toThrow();
    expect(errors).toEqual([
      expect.objectContaining({
        message: expect.stringMatching(
          new RegExp(`^responses: GET /a/ of main: .*${message.source}`),
        ),
      }),
    ]);
  });
});
