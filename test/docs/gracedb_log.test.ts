import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { commandChannel } from "../../src/channel/command_channel.ts";
import type { Bundle } from "../../src/core/bundle.ts";
import { makeBundle, makeItem } from "../support/bundles.ts";
import { docPage } from "../support/doc_examples.ts";
import { json, startServer } from "../support/http_server.ts";
import { delivered, PATIENTLY } from "../support/mails.ts";

/** The program of docs/configuration.md as it stands there. */
const PROGRAM =
  /<!-- program: gracedb-log -->\n```js\n(.*?)```/s.exec(docPage("configuration.md"))?.[1] ?? "";

interface Posted {
  readonly path: string;
  readonly authorization: string | undefined;
  readonly entry: { readonly comment: string; readonly tagname: readonly string[] };
}

/** GraceDB, which keeps what it is told; `fails` is the status of a superevent to which it adds nothing. */
async function startLog(fails: { readonly [id: string]: number } = {}) {
  const posted: Posted[] = [];
  const server = await startServer(async (request, response, { pathname }) => {
    const id = /^\/api\/superevents\/(\w+)\/logs\/$/.exec(pathname)?.[1] ?? "";
    if (request.method === "GET") {
      const log = posted.filter(({ path }) => path === pathname).map(({ entry }) => entry);
      return json(response, { start: 0, numRows: log.length, log, links: {} });
    }
    const failure = fails[id];
    if (failure !== undefined) return json(response, { detail: "no" }, failure);
    let body = "";
    for await (const chunk of request) body += chunk;
    posted.push({
      path: pathname,
      authorization: request.headers.authorization,
      entry: JSON.parse(body),
    });
    json(response, {}, 201);
  });
  onTestFinished(() => server.close());
  vi.stubEnv("GRACEDB_URL", `${server.url}/api/`);
  return { server, posted };
}

/** Through the channel `command`, as the engine runs it. */
async function notify(bundle: Bundle) {
  const folder = mkdtempSync(join(tmpdir(), "swf-alarms-gracedb-log-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "gracedb-log.mjs");
  // The interpreter of the tests, whatever is on the PATH.
  writeFileSync(file, PROGRAM.replace("/usr/bin/env node", process.execPath));
  chmodSync(file, 0o755);
  const outgoing = {
    id: "n-1",
    alarm: "gracedb_alert_flow",
    time: bundle.time,
    recipients: ["gracedb-log"],
    subject: "",
    text: "",
    html: "",
    bundle,
  };
  return await commandChannel({ file, args: [], folder, timeout: 60 }).deliver(outgoing, PATIENTLY);
}

const BUNDLE = makeBundle({
  fresh: [
    makeItem("S230831e:initial", { subject: "S230831e: initial notice is missing" }),
    makeItem("mock_event", { subject: "the newest mock event is too old" }),
  ],
  cleared: [
    makeItem("superevent:MS230831ab", {
      subject: "it has waited 31 min for a decision",
      clearReason: "late by 60 s",
      reason: "cleared",
    }),
  ],
});

beforeEach(() => {
  vi.stubEnv("GRACEDB_TOKEN", "a-token");
  return () => vi.unstubAllEnvs();
});

describe("the program that writes to the log of a superevent", () => {
  test("writes what is new and what has cleared to the superevents that the keys name", async () => {
    const { posted } = await startLog();
    expect(await notify(BUNDLE)).toEqual(delivered(["gracedb-log"], []));
    const tagname = ["event_supervisor"];
    expect(posted).toEqual([
      {
        path: "/api/superevents/S230831e/logs/",
        authorization: "Bearer a-token",
        entry: {
          comment:
            "gracedb_alert_flow: action required: S230831e: initial notice is missing (notification n-1)",
          tagname,
        },
      },
      {
        path: "/api/superevents/MS230831ab/logs/",
        authorization: "Bearer a-token",
        entry: {
          comment:
            "gracedb_alert_flow: no action required: it has waited 31 min for a decision: late by 60 s (notification n-1)",
          tagname,
        },
      },
    ]);
  });

  test("writes nothing twice when the engine tries again", async () => {
    const fails: { [id: string]: number } = { MS230831ab: 503 };
    const { posted } = await startLog(fails);
    expect(await notify(BUNDLE)).toMatchObject({ error: { retryable: true } });
    delete fails.MS230831ab;
    await notify(BUNDLE);
    expect(posted.map(({ path }) => path)).toEqual([
      "/api/superevents/S230831e/logs/",
      "/api/superevents/MS230831ab/logs/",
    ]);
  });

  test("says what needs a correction: a token that GraceDB refuses", async () => {
    await startLog({ S230831e: 403, MS230831ab: 503 });
    expect(await notify(BUNDLE)).toMatchObject({ error: { retryable: false } });
  });

  test("tries again while GraceDB is down", async () => {
    const { server } = await startLog();
    await server.close();
    expect(await notify(BUNDLE)).toMatchObject({ error: { retryable: true } });
  });

  test("does nothing without a token", async () => {
    vi.stubEnv("GRACEDB_TOKEN", "");
    const { server } = await startLog();
    expect(await notify(BUNDLE)).toMatchObject({ error: { retryable: false } });
    expect(server.requests).toEqual([]);
  });
});
