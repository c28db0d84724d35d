import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { makeClient } from "../../src/source/client/alarm_client.ts";
import type { Requester } from "../../src/source/requester.ts";
import { CLIENT_FACTS } from "../support/client_facts.ts";
import { openConfigured } from "../support/configured_source.ts";
import { freePort } from "../support/free_port.ts";
import { hasSupervisord, type Supervisord, startSupervisord } from "../support/supervisord.ts";
import { subjectsOf, supervisordTicks } from "./supervisord_processes_ticks.ts";

const WAIT = { timeout: 60_000, interval: 200 };

/** Each program is `sh -c` with these settings. */
const PROGRAMS: readonly (readonly [name: string, command: string, settings?: string])[] = [
  ["steady", "exec sleep 1000"],
  ["zähler", "printf 'café µ ☃'; exec sleep 1000"],
  ["crasher", "sleep 2; exit 3"],
  ["fastdie", "exit 7", "startretries=1"],
  ["trying", "exit 7", "startretries=1000"],
  ["down", "sleep 2; exit 3", "autorestart=false"],
  ["oneshot", "sleep 2"],
  ["stubborn", "trap '' TERM; while :; do sleep 1; done", "stopwaitsecs=2"],
  ["manual", "exec sleep 1000", "autostart=false"],
];

function section([name, command, settings = ""]: (typeof PROGRAMS)[number]): string {
  return `[program:${name}]\ncommand=/bin/sh -c "${command}"\n${settings}\n`;
}

function ask(source: Requester) {
  return makeClient(
    { ...CLIENT_FACTS, sources: new Map([["main", source]]), now: 0, onIncomplete: () => {} },
    "main",
  );
}

/** Runs ticks, each at its own time, until one says something of all these keys. */
async function until(
  keys: readonly string[],
  tick: Awaited<ReturnType<typeof supervisordTicks>>,
  supervisord: Requester,
) {
  return await vi.waitFor(async () => {
    const outcome = await tick(Date.now() / 1000, { supervisord });
    const subjects = subjectsOf(outcome);
    expect(Object.keys(subjects)).toEqual(expect.arrayContaining([...keys]));
    return { outcome, subjects };
  }, WAIT);
}

describe.skipIf(!hasSupervisord())("programs of a real supervisord", () => {
  let supervisord: Supervisord;
  let port: number;
  beforeAll(async () => {
    port = await freePort();
    supervisord = await startSupervisord(
      () => `[inet_http_server]\nport=127.0.0.1:${port}\n${PROGRAMS.map(section).join("")}`,
      { LANG: "C.UTF-8" },
    );
  });
  afterAll(() => supervisord.stop());

  const overTcp = () => openConfigured(`kind = "xmlrpc"\nbase_url = "http://127.0.0.1:${port}"`);
  const overSocket = () =>
    openConfigured(`kind = "xmlrpc"\nbase_url = "unix://${supervisord.folder}/control.sock"`);

  test.each([
    ["over TCP", overTcp],
    ["through its socket", overSocket],
  ])(
    "that fail in each way are found %s, and no others",
    async (_, open) => {
      const tick = await supervisordTicks({ patience_seconds: 1, restarts: 2 });
      const of = (name: string, what: string) => `supervisord:${name}:${name}:${what}`;
      const keys = [
        of("crasher", "restarts"),
        of("down", "down"),
        of("fastdie", "down"),
        of("trying", "down"),
      ];
      const { outcome, subjects } = await until(keys, tick, open());
      expect(outcome).toMatchObject({ status: "complete", scopes: new Map(), notes: [] });
      expect(subjects).toMatchObject({
        [of("down", "down")]: expect.stringMatching(/exited unexpectedly at .*: Bad exit code 3$/),
        [of("fastdie", "down")]: expect.stringMatching(/is FATAL.*: Exited too quickly/),
        [of("trying", "down")]: expect.stringMatching(/was not RUNNING in any poll since /),
      });
      const names = Object.keys(subjects).map((key) => key.split(":")[1]);
      expect(new Set(names)).toEqual(new Set(["crasher", "down", "fastdie", "trying"]));
    },
    90_000,
  );

  test("that refuse to end are left alone until they are killed, and reported if they must run", async () => {
    const source = overSocket();
    const client = ask(source);
    const supervisors = [{ source: "supervisord", must_run: ["stubborn", "zähler"] }];
    const tick = await supervisordTicks({ patience_seconds: 1, supervisors });
    const stop = await client.call("supervisor.stopProcess", ["stubborn", false]);
    expect(stop).toMatchObject({ ok: true, value: true });
    const key = "supervisord:stubborn:stubborn:down";
    const { subjects } = await until([key], tick, source);
    expect(subjects[key]).toMatch(/^supervisord: stubborn was stopped at .*, and must run$/);
    expect(subjects).not.toHaveProperty("supervisord:zähler:zähler:down");
  }, 90_000);
});

describe.skipIf(!hasSupervisord())("a real supervisor", () => {
  test("that shuts down is told from one that is gone", async () => {
    const supervisord = await startSupervisord((folder) =>
      section([
        "lingering",
        `trap '' TERM; until [ -e ${folder}/go ]; do sleep 0.1; done`,
        "stopwaitsecs=600",
      ]),
    );
    const source = openConfigured(
      `kind = "xmlrpc"\nbase_url = "unix://${supervisord.folder}/control.sock"`,
    );
    const client = ask(source);
    await vi.waitFor(async () => {
      const info = await client.call("supervisor.getProcessInfo", ["lingering"]);
      expect(info).toMatchObject({ ok: true, value: { statename: "RUNNING" } });
    }, WAIT);
    const tick = await supervisordTicks();
    const stopped = supervisord.stop();
    const key = "supervisord:supervisor";
    const shutting = await until([key], tick, source);
    expect(shutting.subjects[key]).toContain("shutting down or restarting");
    writeFileSync(join(supervisord.folder, "go"), "");
    await stopped;
    const gone = await until([key], tick, source);
    expect(gone.subjects[key]).toContain("unreachable");
    expect(gone.outcome.status).toBe("complete");
  }, 90_000);

  test("that was killed leaves a socket that nobody answers", async () => {
    const supervisord = await startSupervisord(() => "");
    const source = openConfigured(
      `kind = "xmlrpc"\nbase_url = "unix://${supervisord.folder}/control.sock"`,
    );
    const tick = await supervisordTicks();
    await vi.waitFor(async () => {
      const outcome = await tick(Date.now() / 1000, { supervisord: source });
      expect(outcome).toMatchObject({ status: "complete", scopes: new Map(), detections: [] });
    }, WAIT);
    process.kill(Number(readFileSync(join(supervisord.folder, "supervisord.pid"), "utf8")), 9);
    const { outcome } = await until(["supervisord:supervisor"], tick, source);
    expect(outcome).toMatchObject({
      status: "complete",
      detections: [{ data: { metric: "unreachable" } }],
    });
    await supervisord.stop();
  }, 90_000);
});
