import { expect, test } from "vitest";
import {
  activeList,
  eventPage,
  firstFired,
  health,
  lastAlarm,
  metricCell,
  quietAlarms,
  runReport,
  taskHistory,
} from "../support/dashboard.ts";
import { json } from "../support/http_server.ts";
import { insertAlarm, only } from "../support/rows.ts";
import { makeSite, THINGS } from "../support/site.ts";

const ALARM = "alarm_things";
const A = {
  key: "a",
  subject: "A is wrong",
  body: "detail\n\n---\n\nof A",
  data: { metric: "7.5%", status: "running" },
};
const B = {
  key: "b",
  subject: "B is wrong",
  data: { computed_failurerate: 0.1234, severity: "high" },
};

test("the dashboards show the engine's rows as they are meant", async () => {
  const site = await makeSite();
  site.module("things.js", THINGS);
  await insertAlarm(site, "things", { recipients: "ops@example.org, two@example.org" });
  const serve = site.source.answer;
  // Nothing, A fires, A and B fire, a tick that fails, B alone, B alone, nothing, nothing, nothing.
  await site.tick();
  site.things = [A];
  await site.tick();
  site.things = [A, B];
  await site.tick();
  site.source.answer = (_, response) => json(response, { error: "no such page" }, 404);
  await site.tick();
  site.source.answer = serve;
  site.things = [B];
  await site.tick();
  await site.tick();

  const now = Date.now() / 1000;
  const events = await site.entries("event");
  const runs = await site.entries("engine_run");
  const [a, b] = ["A is wrong", "B is wrong"].map((title) =>
    only(events.filter((event) => event.title === title)),
  );
  if (a === undefined || b === undefined) throw new Error("an event is missing");

  expect(activeList(events, ALARM)).toEqual([b]);
  expect([metricCell(a), metricCell(b)]).toEqual(["7.5%", "12.3%"]);
  expect(firstFired(a)).toBe(runs[1]?.data.started_at);
  expect(lastAlarm(events, ALARM)).toBe(runs[5]?.data.started_at);
  expect(a.timestamp_created).toBe(firstFired(a));
  expect(eventPage(a)).toEqual({
    title: "A is wrong",
    subject: "A is wrong",
    recipients: "ops@example.org, two@example.org",
    description: "Head of things.",
    detail: "detail\n\n---\n\nof A",
    extras: expect.arrayContaining(["metric", "status", "clear_reason"]),
  });
  // `severity` is the engine's own key.
  expect(eventPage(b).extras).toEqual(["swf", "detection_severity", "computed_failurerate"]);

  // The tick that fires shows as firing. The one that clears does too: the dashboard's rule is inclusive.
  expect(taskHistory(runs, events, ALARM, "a", now)).toEqual([
    "clear",
    "firing",
    "firing",
    "unknown",
    "firing",
    "clear",
  ]);
  expect(taskHistory(runs, events, ALARM, "b", now)).toEqual([
    "clear",
    "clear",
    "firing",
    "unknown",
    "firing",
    "firing",
  ]);

  const [nothing, first, second, failed] = runs;
  if (!nothing || !first || !second || !failed) throw new Error("a run is missing");
  expect(runReport(nothing, ALARM, events)).toEqual({
    enabled: true,
    newSubjects: [],
    continuingSubjects: [],
    sent: false,
    subject: "",
    // A tick that changed nothing keeps no more than the dashboards read of every tick.
    recipients: "",
    error: "",
  });
  expect(runReport(second, ALARM, events)).toEqual({
    enabled: true,
    newSubjects: ["B is wrong"],
    continuingSubjects: [],
    sent: true,
    subject: "[alarm_things] 1 detection(s), 1 new, 0 continuing",
    recipients: "ops@example.org, two@example.org",
    error: "",
  });
  expect(runReport(failed, ALARM, events)?.error).toMatch(/GET \/things\/.*404/);
  expect(runReport(first, "alarm_other", events)).toBeUndefined();
  expect(health(runs, now)).toBe("ok");
  expect(health(runs.slice(0, 4), now)).toBe("bad");
  expect(health(runs, now + 16 * 60)).toBe("bad");
  expect(quietAlarms(runs, [ALARM])).toEqual([]);

  site.things = [];
  for (const _ of [1, 2, 3]) await site.tick();
  expect(quietAlarms(await site.entries("engine_run"), [ALARM])).toEqual([ALARM]);
});

test("an alarm that waits to be set up neither reddens the banner nor wears the quiet badge", async () => {
  const site = await makeSite();
  site.module("waits.js", `export const SOURCES = ["elsewhere"];\nexport function* detect() {}`);
  for (const _ of [1, 2, 3]) await site.tick();
  const runs = await site.entries("engine_run");
  expect(health(runs, Date.now() / 1000)).toBe("ok");
  expect(quietAlarms(runs, ["alarm_waits"])).toEqual([]);
  const [run] = runs;
  if (run === undefined) throw new Error("no run");
  expect(runReport(run, "alarm_waits", [])).toMatchObject({ enabled: false, error: "" });
});
