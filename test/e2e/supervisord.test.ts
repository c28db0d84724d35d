import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { makeSite, type Site } from "../support/site.ts";
import { hasSupervisord, type Supervisord, startSupervisord } from "../support/supervisord.ts";

const ALARMS = fileURLToPath(new URL("../../alarms", import.meta.url));

/** A program that runs once its file is there, and one that never does. */
const PROGRAMS = (folder: string) => `[program:flaky]
command=/bin/sh -c "[ -e ${folder}/works ] || exit 7; exec sleep 1000"
startretries=0
[program:broken]
command=/no/such/program
startretries=0
[program:steady]
command=/bin/sleep 1000
`;

async function firing(site: Site): Promise<readonly string[]> {
  return (await site.entries("event"))
    .flatMap(({ data }) => (data.clear_time === null ? [String(data.dedupe_key)] : []))
    .toSorted();
}

async function become(supervisord: Supervisord, name: string, state: string): Promise<void> {
  await vi.waitUntil(() => supervisord.ctl("status", name).includes(state), {
    timeout: 60_000,
    interval: 500,
  });
}

describe.skipIf(!hasSupervisord())("ticks beside a real supervisord", () => {
  test("fire, clear, and keep what they cannot know", async () => {
    const site = await makeSite({ alarmsDir: ALARMS, database: "embedded" });
    const supervisord = await startSupervisord(PROGRAMS);
    onTestFinished(() => supervisord.stop());
    // Without its source the alarm is quiet.
    expect(await site.tick()).toMatchObject({ code: 0, stderr: "" });
    const more = `[sources.supervisord]\nkind = "xmlrpc"\nbase_url = "unix://${supervisord.folder}/control.sock"`;
    site.configure({ alarmsDir: ALARMS, database: "embedded", more });
    await become(supervisord, "flaky", "FATAL");
    await become(supervisord, "broken", "FATAL");
    expect(await site.tick()).toMatchObject({ code: 0, stderr: "" });
    const [BROKEN, FLAKY] = ["supervisord:broken:broken:down", "supervisord:flaky:flaky:down"];
    expect(await firing(site)).toEqual([BROKEN, FLAKY]);

    writeFileSync(join(supervisord.folder, "works"), "");
    supervisord.ctl("start", "flaky");
    await become(supervisord, "flaky", "RUNNING");
    expect(await site.tick()).toMatchObject({ code: 0, stderr: "" });
    expect(await firing(site)).toEqual([BROKEN]);

    await supervisord.stop();
    const gone = await site.tick("-v");
    expect(gone.stderr).toMatch(/^swf-alarms: source supervisord unreachable since [^\n]*\n$/);
    expect(gone.stdout).toMatch(
      /supervisord_processes: complete: 1 detected, 1 new, 0 still firing, 0 cleared, 1 kept/,
    );
    expect(await firing(site)).toEqual([BROKEN, "supervisord:supervisor"]);
  }, 180_000);
});
