import { expect, test } from "vitest";
import { perAlarm, runData } from "../support/contract.ts";
import { QUIET } from "../support/quiet.ts";
import { insertAlarm, only } from "../support/rows.ts";
import { makeSite, THINGS } from "../support/site.ts";

/** Many processes, one after the other, on machines with two cores. */
const SLOW = 240_000;

test(
  "an alarm that ends its process is quarantined, told of once, shown by status, and back when it is mended",
  async () => {
    const site = await makeSite();
    site.module(
      "broken.js",
      "export const SOURCES = []; export function detect() { process.exit(7); }",
    );
    site.module("things.js", THINGS);
    await insertAlarm(site, "broken");
    await insertAlarm(site, "things");
    for (let failure = 0; failure < 3; failure++) {
      const { code, stderr } = await site.tick();
      expect(code).toBe(1);
      expect(stderr).toMatch(/^swf-alarms: broken: [^\n]*with code 7[^\n]*\n$/);
    }
    // Between the tries cron hears nothing, and the other alarms work.
    site.things = [{ key: "a", subject: "A is wrong" }];
    expect(await site.tick()).toEqual(QUIET);
    const run = (await site.entries("engine_run")).at(-1) ?? only([]);
    expect(runData(run)).toMatchObject({ errors: 0, alarms_run: 1 });
    expect(perAlarm(run, "alarm_broken")).toMatchObject({
      errors: 1,
      quarantine: { failures: 3, next_try_in_ticks: 2 },
    });
    expect(perAlarm(run, "alarm_things")).toMatchObject({ errors: 0, bundle_sent: true });
    const subjects = () => site.mail.mails.map(({ subject }) => subject);
    const quarantined =
      "[alarm_engine] 1 detection(s), 1 new, 0 continuing: alarm broken is quarantined: it failed 3 times in a row";
    const things = "[alarm_things] 1 detection(s), 1 new, 0 continuing: A is wrong";
    expect(subjects()).toEqual([quarantined, things]);

    const status = await site.command(["status"]);
    expect(status).toMatchObject({ code: 1, stderr: "" });
    expect(status.stdout).toMatch(
      /^needs attention; 2 event\(s\) firing, 0 not yet mailed\n {2}broken is quarantined\n\n/,
    );
    expect(status.stdout).toMatch(
      /^broken +quarantined +on +0 +0 +since .*; next try in 2 ticks .*with code 7/m,
    );
    expect(status.stdout).toMatch(/^things +ready +on +1 +0$/m);

    site.module("broken.js", "export const SOURCES = []; export const detect = () => [];");
    expect(await site.tick()).toEqual(QUIET);
    expect(subjects()).toEqual([
      quarantined,
      things,
      "[alarm_engine] 0 detection(s), 0 new, 0 continuing, 1 cleared: alarm broken is quarantined: it failed 3 times in a row",
    ]);
    expect(await site.tick()).toEqual(QUIET);
    expect(site.mail.mails).toHaveLength(3);
    expect(await site.command(["status"])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^engine healthy; /),
    });
  },
  SLOW,
);

test(
  "a mass clear is held for one tick, which is no error",
  async () => {
    const site = await makeSite({ mail: "none" });
    site.module("things.js", THINGS);
    await insertAlarm(site, "things", { enabled: false });
    site.things = Array.from({ length: 12 }, (_, index) => ({ key: `k${index}`, subject: "S" }));
    expect(await site.tick()).toEqual(QUIET);
    site.things = [];
    const plan = await site.tick("--plan");
    expect(plan.stdout).toContain(
      "keep   k0: not detected, but held: 12 of 12 events would clear at once; they will clear if the next complete outcome does not detect them either",
    );
    expect(await site.tick()).toEqual(QUIET);
    const active = async () =>
      (await site.entries("event")).filter(({ data }) => data.clear_time === null).length;
    expect(await active()).toBe(12);
    expect(await site.tick()).toEqual(QUIET);
    expect(await active()).toBe(0);
  },
  SLOW,
);
