import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { makeClient } from "../../src/source/client/alarm_client.ts";
import { CLIENT_FACTS } from "../support/client_facts.ts";
import { openConfigured } from "../support/configured_source.ts";
import { freePort } from "../support/free_port.ts";
import { hasSupervisord, type Supervisord, startSupervisord } from "../support/supervisord.ts";

async function listening({ folder }: Supervisord): Promise<void> {
  await vi.waitUntil(() => existsSync(join(folder, "control.sock")), { timeout: 30_000 });
}

describe.skipIf(!hasSupervisord())("a real supervisord", () => {
  let supervisord: Supervisord;
  let port: number;
  beforeAll(async () => {
    port = await freePort();
    supervisord = await startSupervisord(
      () => `[inet_http_server]
port=127.0.0.1:${port}
username=ann
password=pass:wörd
[program:colours]
command=/bin/sh -c "printf '\\033[31mcafé µ'; exec sleep 1000"
[program:idle]
command=/bin/true
autostart=false
`,
    );
    await listening(supervisord);
  });
  afterAll(() => supervisord.stop());

  function watch(settings: string, login = "ann:pass:wörd") {
    const reasons: string[] = [];
    const source = openConfigured(`kind = "xmlrpc"\n${settings}`, { LOGIN: login });
    const client = makeClient(
      {
        ...CLIENT_FACTS,
        sources: new Map([["box", source]]),
        now: 0,
        onIncomplete: (reason) => void reasons.push(reason),
      },
      "box",
    );
    return { client, reasons };
  }

  const places: readonly (readonly [string, () => string])[] = [
    ["over TCP with a login", () => `base_url = "http://127.0.0.1:${port}"\nlogin_env = "LOGIN"`],
    ["through its socket", () => `base_url = "unix://${supervisord.folder}/control.sock"`],
  ];

  test.each(places)("answers %s", async (_, settings) => {
    const { client, reasons } = watch(settings());
    const state = await client.call("supervisor.getState");
    expect(state).toMatchObject({ ok: true, value: { statecode: 1, statename: "RUNNING" } });
    expect(state.ok && Math.abs(Date.now() / 1000 - (state.date ?? 0))).toBeLessThan(60);
    const processes = await client.call("supervisor.getAllProcessInfo");
    expect(processes).toMatchObject({ value: [{ name: "colours" }, { name: "idle", start: 0 }] });
    const unknown = await client.call("supervisor.getProcessInfo", ["no <such> & thing"]);
    expect(unknown).toEqual({
      ok: false,
      kind: "fault",
      code: 10,
      reason: "BAD_NAME: no <such> & thing",
    });
    expect(await client.call("no.such")).toMatchObject({ kind: "fault", code: 1 });
    const both = await client.call("system.multicall", [
      [
        { methodName: "supervisor.getIdentification", params: [] },
        { methodName: "supervisor.getProcessInfo", params: ["idle"] },
      ],
    ]);
    expect(both).toMatchObject({ value: ["test-daq", { statename: "STOPPED" }] });
    expect(reasons).toEqual([]);
  });

  test("sends the output of a program, with its control characters", async () => {
    const { client } = watch(`base_url = "unix://${supervisord.folder}/control.sock"`);
    await expect
      .poll(() => client.call("supervisor.readProcessStdoutLog", ["colours", 0, 0]))
      .toMatchObject({ ok: true, value: "\uFFFD[31mcafé µ" });
  });

  test("refuses a wrong login", async () => {
    const settings = `base_url = "http://127.0.0.1:${port}"\nlogin_env = "LOGIN"`;
    const { client, reasons } = watch(settings, "ann:other");
    const reason = expect.stringMatching(
      /^POST supervisor\.getState from box: status 401 .*check the login/,
    );
    expect(await client.call("supervisor.getState")).toMatchObject({ kind: "status", reason });
    expect(reasons).toEqual([reason]);
  });

  test("has no XML-RPC at another address", async () => {
    const { client, reasons } = watch(
      `base_url = "unix://${supervisord.folder}/control.sock:/other"`,
    );
    expect(await client.call("supervisor.getState")).toMatchObject({ ok: false, code: undefined });
    expect(reasons).toEqual([
      expect.stringMatching(/^POST supervisor.getState from box: status 4/),
    ]);
  });

  test("once it is gone, is a failed request", async () => {
    const other = await startSupervisord(() => "");
    await listening(other);
    const { client, reasons } = watch(`base_url = "unix://${other.folder}/control.sock"`);
    expect(await client.call("supervisor.getState")).toMatchObject({ ok: true });
    await other.stop();
    const outcome = await client.call("supervisor.getState", [], { attempts: 2 });
    expect(outcome).toMatchObject({ ok: false, kind: "connection" });
    expect(reasons).toEqual([expect.stringContaining("POST supervisor.getState from box: ")]);
  });
});
