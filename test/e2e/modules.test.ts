import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { testAlarm, type WholeResponse } from "../../src/testing.ts";
import { AUTHOR_SETTINGS, checkTypes } from "../support/author_types.ts";
import { Authority, hasOpenssl } from "../support/certificates.ts";
import { docExample, docPage } from "../support/doc_examples.ts";
import { json } from "../support/http_server.ts";
import { QUIET } from "../support/quiet.ts";
import { shiftedClock } from "../support/shifted_clock.ts";
import { makeSite, type Site } from "../support/site.ts";

const SLOW = 180_000;

/** The keys of an alarm's active events. */
async function firing(site: Site, alarm: string): Promise<readonly string[]> {
  return (await site.entries("event"))
    .filter(({ data }) => data.entry_id === `event_${alarm}` && data.clear_time === null)
    .map(({ data }) => String(data.dedupe_key))
    .toSorted();
}

/** The page of a proxy that does not know where to send the request. */
function proxy404(response: ServerResponse): void {
  response.writeHead(404, { "content-type": "text/html" });
  response.end("<html><h1>404 Not Found</h1><hr>nginx</html>");
}

test("memory: what grew since yesterday fires over ticks of two days", {
  timeout: SLOW,
}, async () => {
  const site = await makeSite();
  site.module("growing_storage.ts", docExample("yesterday's value"));
  let [hours, used, status]: [number, object, number] = [0, {}, 200];
  site.source.answer = (_request, response) => {
    response.setHeader("date", new Date(Date.now() + hours * 3_600_000).toUTCString());
    json(response, used, status);
  };
  const tickAt = async (...now: [number, object, number?]) => {
    [hours, used, status = 200] = now;
    return await site.command(["run"], { env: shiftedClock(hours * 3600) });
  };

  expect(await tickAt(-30, { raw: 50, reco: 50 })).toEqual(QUIET);
  expect(await tickAt(-24.5, { raw: 60, reco: 50 })).toEqual(QUIET);
  expect(await firing(site, "growing_storage")).toEqual([]);
  expect(await tickAt(0, { raw: 65, reco: 56 })).toEqual(QUIET);
  expect(await firing(site, "growing_storage")).toEqual(["area:reco"]);
  for (const [answer, code] of [
    [{ error: "database is down" }, 200],
    [{ detail: "no" }, 403],
  ] as const) {
    expect(await tickAt(0.1, answer, code)).toMatchObject({ code: 1 });
    expect(await firing(site, "growing_storage")).toEqual(["area:reco"]);
  }
  expect(await tickAt(0.2, { raw: 70, reco: 54 })).toEqual(QUIET);
  expect(await firing(site, "growing_storage")).toEqual(["area:raw"]);
});

test("POST: a query with errors, or that is refused, ends nothing", { timeout: SLOW }, async () => {
  const site = await makeSite();
  site.module("sites_offline.ts", docExample("graphql"));
  let [answer, status]: [object, number] = [
    { data: { sites: [{ name: "BNL", reason: "power" }] } },
    200,
  ];
  const methods: (string | undefined)[] = [];
  site.source.answer = ({ method }, response) => {
    methods.push(method);
    json(response, answer, status);
  };
  expect(await site.tick()).toEqual(QUIET);
  expect(await firing(site, "sites_offline")).toEqual(["site:BNL"]);
  for (const [next, code] of [
    [{ data: { sites: null }, errors: [{ message: "timeout" }] }, 200],
    [{ error: "no such path" }, 404],
    [{ error: "overloaded" }, 503],
  ] as const) {
    [answer, status] = [next, code];
    expect(await site.tick()).toMatchObject({ code: 1 });
    expect(await firing(site, "sites_offline")).toEqual(["site:BNL"]);
  }
  // None was sent twice, also not that with status 503.
  expect(methods).toEqual(["POST", "POST", "POST", "POST"]);
  [answer, status] = [{ data: { sites: [] } }, 200];
  expect(await site.tick()).toEqual(QUIET);
  expect(await firing(site, "sites_offline")).toEqual([]);
});

test("scopes: a service of which a half is dead keeps what was not seen, and clears what was", {
  timeout: SLOW,
}, async () => {
  const site = await makeSite();
  site.module("crates.ts", docExample("one request for each entity"));
  // More than the failures in a row after which a service counts as down.
  const dead = Array.from({ length: 9 }, (_, at) => `dead${at}`);
  const all = [...dead, "gone", "proxied", "proxied2", "repaired", "wrong"];
  type State = "right" | "wrong" | "dead" | "proxied" | "gone";
  let states: { readonly [crate: string]: State } = {};
  site.source.answer = (_request, response, { pathname }) => {
    if (pathname === "/crates/") return json(response, all);
    const state = states[pathname.split("/")[2] ?? ""];
    if (state === "proxied") return proxy404(response);
    if (state === "dead") return json(response, { error: "gateway timeout" }, 504);
    if (state === "gone") return json(response, { detail: "Not found." }, 404);
    json(response, [{ name: "ch0", volts: state === "wrong" ? 4.5 : 5 }]);
  };
  const every = (crates: readonly string[], state: State) =>
    Object.fromEntries(crates.map((crate) => [crate, state]));
  const keys = (crates: readonly string[], end: string) =>
    crates.map((crate) => `crate:${crate}:${end}`);

  states = every(all, "wrong");
  expect(await site.tick()).toEqual(QUIET);
  expect(await firing(site, "crates")).toEqual(keys(all, "ch0").toSorted());

  states = {
    ...every(dead, "dead"),
    gone: "gone",
    proxied: "proxied",
    proxied2: "proxied",
    repaired: "right",
    wrong: "wrong",
  };
  // The events say what does not answer, so that the gaps are not errors of the alarm as well.
  expect(await site.tick()).toEqual(QUIET);
  const silent = [...dead, "proxied", "proxied2"];
  expect(await firing(site, "crates")).toEqual(
    [...keys([...silent, "wrong"], "ch0"), ...keys(silent, "down")].toSorted(),
  );

  states = { ...every(dead, "wrong"), ...every(["gone", "proxied", "repaired", "wrong"], "right") };
  expect(await site.tick()).toEqual(QUIET);
  expect(await firing(site, "crates")).toEqual(keys(dead, "ch0"));
});

describe("lists in each style", () => {
  const STYLES = {
    keyset: 'client.pages<Row>("keyset/", { limit: 3 })',
    "links.next": 'client.pages<Row>("links.next/", {}, { style: "links.next", list: "rows" })',
    next: 'client.pages<Row>("next/", {}, { style: "next" })',
    link: 'client.pages<Row>("link/", { per_page: 3 }, { style: "link" })',
    page: 'client.pages<Row>("page/", { per_page: 3 }, { style: "page" })',
    offset:
      'client.pages<Row>("offset/", { limit: 3 }, { style: "offset", list: "rows", total: "total" })',
  };
  const ids = [7, 6, 5, 4, 3, 2, 1];
  const modules = Object.entries(STYLES).map(([style, call]) => ({
    style,
    name: `rows_${style.replace(".", "_")}`,
    text: `import type { AlarmClient } from "swf-alarms";

export const TITLE = "Rows that failed";

interface Row {
  id: number;
  state: string;
}

export async function* detect(client: AlarmClient) {
  for await (const { id, state } of ${call}) {
    if (state === undefined) client.incomplete(\`row \${id} has no state\`);
    else if (state === "failed") yield { dedupeKey: \`row:\${id}\`, subject: \`row \${id} failed\` };
  }
}
`,
  }));

  /** The page that is asked for, in the way of its style; pages have 3 rows. */
  function answer(style: string, query: URLSearchParams, failed: readonly number[]): WholeResponse {
    const number = (name: string, otherwise: number) => Number(query.get(name) ?? otherwise);
    const from =
      {
        keyset: ids.filter((id) => id >= number("before_id", 8)).length,
        offset: number("offset", 0),
      }[style] ?? 3 * (number("page", 1) - 1);
    const rows = ids
      .slice(from, from + 3)
      .map((id) => ({ id, state: failed.includes(id) ? "failed" : "good" }));
    const isLast = from + 3 >= ids.length;
    const next = isLast ? null : `https://service.example.org/${style}/?page=${from / 3 + 2}`;
    const body: unknown = {
      keyset: { items: rows, has_more: !isLast, next_before_id: isLast ? null : rows.at(-1)?.id },
      "links.next": { rows, links: { next }, numRows: ids.length },
      next: { count: ids.length, next, previous: null, results: rows },
      offset: { rows, total: ids.length },
    }[style];
    const headers: { [name: string]: string } =
      style === "link" && next !== null ? { link: `<${next}>; rel="next"` } : {};
    return { status: 200, body: body ?? rows, headers };
  }

  test("as an author writes them, they have their types", async () => {
    const folder = mkdtempSync(join(tmpdir(), "swf-alarms-modules-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    writeFileSync(join(folder, "tsconfig.json"), AUTHOR_SETTINGS);
    for (const { name, text } of modules) writeFileSync(join(folder, `${name}.ts`), text);
    await checkTypes(folder);
  });

  test.for(modules)(
    "testAlarm reads a list of $style to its end",
    async ({ style, name, text }) => {
      const folder = mkdtempSync(join(tmpdir(), "swf-alarms-modules-"));
      onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
      const path = join(folder, `${name}.ts`);
      writeFileSync(path, text);
      const outcome = await testAlarm(path, {
        responses: {
          [`${style}/`]: ({ query }: { query: { [name: string]: string } }) =>
            answer(style, new URLSearchParams(query), [6, 1]),
        },
      });
      expect(outcome).toMatchObject({ status: "complete", reasons: [] });
      expect(outcome.detections.map(({ dedupeKey }) => dedupeKey)).toEqual(["row:6", "row:1"]);
    },
  );

  test("in ticks, a page that fails ends nothing, and a whole list ends what is good", {
    timeout: SLOW,
  }, async () => {
    const site = await makeSite();
    for (const { name, text } of modules) site.module(`${name}.ts`, text);
    let [failed, isSecondLost]: [readonly number[], boolean] = [[7, 4, 1], false];
    site.source.answer = (_request, response, { pathname, searchParams }) => {
      const style = pathname.slice(1, -1);
      const { body, headers } = answer(style, searchParams, failed);
      const isSecond = JSON.stringify(body).includes('"id":4');
      if (isSecond && isSecondLost) return proxy404(response);
      for (const [name, value] of Object.entries(headers ?? {})) response.setHeader(name, value);
      json(response, body);
    };
    const keys = async () =>
      Object.fromEntries(
        await Promise.all(
          modules.map(async ({ style, name }) => [style, await firing(site, name)] as const),
        ),
      );
    const each = (...expected: string[]) =>
      Object.fromEntries(modules.map(({ style }) => [style, expected]));

    expect(await site.tick()).toEqual(QUIET);
    expect(await keys()).toEqual(each("row:1", "row:4", "row:7"));
    [failed, isSecondLost] = [[6], true];
    const lost = await site.tick();
    expect(lost.code).toBe(1);
    for (const { name } of modules) expect(lost.stderr).toMatch(new RegExp(`${name}: GET .*404`));
    expect(await keys()).toEqual(each("row:1", "row:4", "row:6", "row:7"));
    isSecondLost = false;
    expect(await site.tick()).toEqual(QUIET);
    expect(await keys()).toEqual(each("row:6"));
  });
});

describe.skipIf(!hasOpenssl())(
  "a service with a login and a certificate authority of its own",
  () => {
    const [, config = ""] =
      /<!-- example: login and certificates, config -->\n```toml\n(.*?)```/su.exec(
        docPage("recipes.md"),
      ) ?? [];

    test("answers a module with the configuration of the recipe; without either of them nothing ends", {
      timeout: SLOW,
    }, async () => {
      const authority = new Authority();
      onTestFinished(() => authority.remove());
      const other = new Authority();
      onTestFinished(() => other.remove());
      let state = "broken";
      const login = `Basic ${Buffer.from("ann:pa55:word").toString("base64")}`;
      const answer = ({ headers, url }: IncomingMessage, response: ServerResponse) => {
        if (headers.authorization !== login)
          return json(response, { detail: "login required" }, 401);
        json(response, url === "/api/items/" ? [{ serial: "m1", state }] : {});
      };
      const server = createServer(authority.issue("IP:127.0.0.1", 2), answer);
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      onTestFinished(() => void server.close());
      const address = server.address();
      const port = typeof address === "object" ? address?.port : undefined;

      const site = await makeSite();
      site.module("broken_modules.ts", docExample("login and certificates"));
      const configure = (ca: string) => {
        const more = config
          .replace("inventory.example.org", `127.0.0.1:${port}`)
          .replace("/etc/swf-alarms/inventory-ca.pem", ca);
        expect(more).toContain(ca);
        site.configure({ more });
      };
      const tick = (value = "ann:pa55:word") =>
        site.command(["run"], { env: { INVENTORY_LOGIN: value } });

      configure(authority.path);
      expect(await tick()).toEqual(QUIET);
      expect(await firing(site, "broken_modules")).toEqual(["module:m1"]);
      state = "good";
      const refused = await tick("ann:wrong");
      expect(refused.code).toBe(1);
      expect(refused.stderr).toContain("401");
      configure(other.path);
      const unknown = await tick();
      expect(unknown.code).toBe(1);
      expect(unknown.stderr).toContain("TLS certificate not accepted");
      expect(await firing(site, "broken_modules")).toEqual(["module:m1"]);
      configure(authority.path);
      expect(await tick()).toEqual(QUIET);
      expect(await firing(site, "broken_modules")).toEqual([]);
    });
  },
);

test.for(["memory", "scopes", "graphql", "yesterday's value", "one request for each entity"])(
  "the module of %s has less than forty lines",
  (example) => {
    expect(docExample(example).trimEnd().split("\n").length).toBeLessThan(40);
  },
);
