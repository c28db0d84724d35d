import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeClient } from "../../src/source/client/alarm_client.ts";
import { type Paging, parsePage } from "../../src/source/client/paging.ts";
import { BodyError, FetchError } from "../../src/source/fetch_error.ts";
import { HttpSource } from "../../src/source/http/http_source.ts";
import type { Query } from "../../src/source/query.ts";
import { isJsonObject, type JsonValue } from "../../src/text/json.ts";
import { makeRedactor } from "../../src/text/redact.ts";
import { CLIENT_FACTS } from "../support/client_facts.ts";
import { startServer, type TestServer } from "../support/http_server.ts";
import { anyJson, anyText, mutate, mutations, ONE_LINE } from "./arbitraries.ts";
import { runs } from "./runs.ts";

const KEYSET_PAGE: JsonValue = {
  items: [{ jeditaskid: 7 }, { jeditaskid: 5 }],
  has_more: true,
  next_before_id: 5,
};
const LINKS_PAGE: JsonValue = {
  items: [{ superevent_id: "S1" }],
  links: { next: "http://other.example/api/x/?start=2&count=1", previous: null },
};
const NEXT_PAGE: JsonValue = {
  items: [{ id: 9 }, { id: 8 }],
  next: "http://other.example/0/list/?page=2",
  previous: null,
  count: 3,
};
const COUNTED_PAGE: JsonValue = { items: [{ id: 9 }, { id: 8 }], has_more: true, total: 3 };
const LAST: readonly JsonValue[] = [
  { items: [{ jeditaskid: 3 }], has_more: false, next_before_id: null },
  { items: [], links: { next: null } },
  { items: [{ id: 7 }], next: null, previous: null, count: 3 },
  { items: [{ id: 7 }], has_more: false, total: 3 },
  { items: [] },
];
const PAGES = [KEYSET_PAGE, LINKS_PAGE, NEXT_PAGE, COUNTED_PAGE, ...LAST];

const name = fc.oneof(
  fc.constantFrom("items", "links", "next", "previous", "has_more", "next_before_id", "total"),
  anyText,
);
const answer: fc.Arbitrary<JsonValue> = fc.oneof(
  { weight: 1, arbitrary: anyJson },
  { weight: 2, arbitrary: fc.constantFrom(...PAGES) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.constantFrom(...PAGES), mutations(anyJson, name, 3))
      .map(([page, changes]) => mutate(page, changes)),
  },
);
const paging: fc.Arbitrary<Paging> = fc.constantFrom<Paging[]>(
  { style: "keyset" },
  { style: "links.next", list: "items" },
  { style: "page", list: "items" },
  { style: "page", list: "items", more: "has_more" },
  { style: "offset", list: "items" },
  { style: "offset", list: "items", total: "total" },
  { style: "link", list: "items" },
  { style: "next", list: "items" },
);
const LINK = '</0/list/?page=2>; rel="next"';
const link = fc.oneof(fc.constantFrom(undefined, LINK, '<?a>; rel="prev"'), anyText);

/** The end as the contracts have it, written down a second time. */
function isProperEnd(value: JsonValue, paging: Paging, link: string | undefined): boolean {
  if (!isJsonObject(value) || !Array.isArray(value.items)) return false;
  if (!value.items.every(isJsonObject)) return false;
  const { has_more: more, next_before_id: cursor, items, links } = value;
  if (paging.style === "links.next") return isJsonObject(links) && links.next === null;
  if (paging.style === "next") return value.next === null;
  if (paging.style === "link") return !/rel="?next/i.test(link ?? "");
  if (paging.style === "keyset") return more === false || (more === undefined && cursor === null);
  if (paging.more !== undefined) return more === false;
  return items.length === 0 || (paging.total !== undefined && Number(value.total) <= items.length);
}

test("any response is a page that continues, a proper end, or an error in one line", () => {
  fc.assert(
    fc.property(answer, paging, fc.nat(10), link, (value, style, before, link) => {
      let next: Query | undefined;
      const query = { before_id: before, count: 1, page: 1, offset: 0 };
      try {
        next = parsePage({ value, headers: { link } }, style, {
          path: "/0/list/",
          query,
          idFields: undefined,
          received: 0,
        }).next;
      } catch (error) {
        if (!(error instanceof BodyError)) throw error;
        expect(error.message).toMatch(ONE_LINE);
        expect(error.message.length).toBeLessThan(1_000);
        return;
      }
      expect(next === undefined).toBe(isProperEnd(value, style, link));
      if (next === undefined) return;
      if (style.style === "keyset") expect(Number(next.before_id)).toBeLessThan(before);
      if (style.style === "page") expect(next.page).toBe(2);
    }),
    runs(20),
  );
});

/** What the server does with one request. */
interface Served {
  readonly status: number;
  readonly headers: { readonly [name: string]: string };
  readonly body: Uint8Array;
  /** Bytes after which the connection is cut; more than there are means that it is not. */
  readonly cutAt: number;
}

interface Case {
  readonly answers: readonly Served[];
  readonly style: Paging;
}

interface Running extends Case {
  /** How many requests it has had. */
  count: number;
}

let server: TestServer;
/** By the first part of the path: cases run side by side, because a retry takes seconds. */
const cases = new Map<string, Running>();
beforeAll(async () => {
  server = await startServer((_request, response, url) => {
    const { status, headers, body, cutAt } = nextAnswer(url.pathname.split("/")[1] ?? "");
    try {
      response.writeHead(status, headers);
    } catch {
      // What HTTP does not let a server say.
      response.writeHead(500);
    }
    if (cutAt >= body.length) response.end(body);
    else response.write(body.subarray(0, cutAt), () => response.destroy());
  });
});
afterAll(async () => {
  await server.close();
});
/** The answers of a case in turn, over and over. */
function nextAnswer(name: string): Served {
  const running = cases.get(name);
  if (running === undefined) return NOTHING;
  running.count += 1;
  return lastAnswer(running);
}

function lastAnswer({ answers, count }: Running): Served {
  return answers[(count - 1) % answers.length] ?? NOTHING;
}

const NOTHING: Served = { status: 404, headers: {}, body: new Uint8Array(), cutAt: 1 };

const utf8 = new TextEncoder();
const response: fc.Arbitrary<Served> = fc.record({
  status: fc.oneof(
    { weight: 5, arbitrary: fc.constant(200) },
    { weight: 1, arbitrary: fc.constantFrom(201, 204, 206, 301, 307, 400, 401, 403, 404, 418) },
  ),
  headers: fc.oneof(
    { weight: 3, arbitrary: fc.constant({}) },
    {
      weight: 1,
      arbitrary: fc.record(
        {
          "content-type": fc.constantFrom(
            "application/json",
            "text/html",
            "application/json; charset=x",
          ),
          "content-encoding": fc.constantFrom(
            "identity",
            "gzip",
            "deflate",
            "br",
            "zstd",
            "GZIP, br",
          ),
          location: fc.constantFrom(
            "/",
            "http://other.example/",
            "\u00fc",
            "a b",
            "/?s3cret-token",
          ),
          link: fc.constantFrom(LINK, "<", '<?a>; rel="prev"'),
          "retry-after": fc.constantFrom("0", "-1", "soon", "9".repeat(400)),
          "content-length": fc.constantFrom("0", "3", "100"),
        },
        { requiredKeys: [] },
      ),
    },
  ),
  body: fc.oneof(
    { weight: 6, arbitrary: answer.map((value) => utf8.encode(JSON.stringify(value))) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }) },
    { weight: 1, arbitrary: anyText.map((text) => utf8.encode(`<html><title>${text}`)) },
    {
      weight: 1,
      arbitrary: fc.constant(utf8.encode(`${"[".repeat(50_000)}${"]".repeat(50_000)}`)),
    },
  ),
  cutAt: fc.oneof(
    { weight: 4, arbitrary: fc.constant(Number.POSITIVE_INFINITY) },
    { weight: 1, arbitrary: fc.nat(60) },
  ),
});

test("whatever a service sends, a list ends only with its proper end, else with a reason in one line, and soon", async () => {
  const someAnswers = fc.record({
    answers: fc.array(response, { minLength: 1, maxLength: 4 }),
    style: paging,
  });
  await fc.assert(
    fc.asyncProperty(fc.array(someAnswers, { minLength: 100, maxLength: 120 }), async (list) => {
      await Promise.all(
        list.map(async (one, index) => {
          const running = { ...one, count: 0 };
          cases.set(`${index}`, running);
          await readList(running, `/${index}/list/`);
        }),
      );
    }),
    runs(0.01),
  );
});

const redact = makeRedactor(["s3cret-token"]);

async function readList(running: Running, path: string): Promise<void> {
  const tick = new AbortController();
  const source = new HttpSource(
    {
      name: "main",
      baseUrl: server.url,
      headers: {},
      authorization: "Bearer s3cret-token",
      userAgent: undefined,
      maxConnections: 4,
      timeout: 2,
    },
    tick.signal,
  );
  const reasons: string[] = [];
  const client = makeClient({
    ...CLIENT_FACTS,
    sources: new Map([["main", source]]),
    now: 0,
    signal: AbortSignal.timeout(30_000),
    onIncomplete: (reason) => reasons.push(reason),
  });
  try {
    for await (const item of client.pages(path, { limit: 200 }, running.style))
      expect(isJsonObject(item)).toBe(true);
    expect(isWholeEnd(lastAnswer(running), running.style)).toBe(true);
    const short = /^GET \S+ from main: read twice, the list ended after \d+ items/;
    expect(reasons.filter((reason) => !short.test(reason))).toEqual([]);
  } catch (error) {
    if (!(error instanceof FetchError)) throw error;
    expect(reasons).toContain(error.message);
  } finally {
    tick.abort(new Error("the test's tick has ended"));
    await source.close();
  }
  for (const reason of reasons) {
    expect(reason).toMatch(ONE_LINE);
    expect(reason.length).toBeLessThan(2_000);
    // As the engine redacts it: no half of a secret is left.
    expect(redact(reason)).not.toContain("s3cret");
  }
}

function isWholeEnd({ status, body, cutAt, headers }: Served, style: Paging): boolean {
  const length = headers["content-length"];
  const sent = body.subarray(
    0,
    Math.min(cutAt, length === undefined ? body.length : Number(length)),
  );
  if (status !== 200) return false;
  try {
    return isProperEnd(JSON.parse(new TextDecoder().decode(sent)), style, headers.link);
  } catch {
    return false;
  }
}
