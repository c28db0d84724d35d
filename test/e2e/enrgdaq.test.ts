import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import {
  type EnrgdaqServer,
  type JobFacts,
  startEnrgdaq,
  statusOf,
} from "../alarms/enrgdaq_server.ts";
import { makeSite, type Site } from "../support/site.ts";

const SHIPPED = fileURLToPath(new URL("../../alarms", import.meta.url));
const RULES = JSON.stringify([
  {
    daq_job_type: "DAQJobTest",
    client: "det1",
    stats_key: "message_out_stats",
    interval: "1s",
    alert_if_interval_is: "unsatisfied",
    message: "no data",
  },
]);
const LARGE = { rss: 5000 };

async function daqSite(): Promise<{ site: Site; daq: EnrgdaqServer }> {
  const daq = await startEnrgdaq();
  onTestFinished(() => daq.close());
  const more = `[sources.enrgdaq]\nbase_url = ${JSON.stringify(daq.url)}\n`;
  const site = await makeSite({ alarmsDir: SHIPPED, mail: "none", more });
  return { site, daq };
}

/** The keys of the active events of both alarms. */
async function active(site: Site): Promise<readonly string[]> {
  return (await site.entries("event"))
    .flatMap(({ data }) => (data.clear_time === null ? [String(data.dedupe_key)] : []))
    .toSorted();
}

test("of a client that is unplugged in the middle only its own events change, and its death costs no tick", {
  timeout: 180_000,
}, async () => {
  const { site, daq } = await daqSite();
  let beats = 0;
  const main = (...jobs: readonly JobFacts[]) => {
    beats += 1;
    const all = [{ type: "DAQJobStoreCSV" }, { type: "DAQJobAlertSlack" }, ...jobs];
    daq.clients.set("main", { lastSeen: `${beats}`, status: statusOf("main", all), logs: [] });
  };
  const det1 = (...jobs: readonly JobFacts[]) =>
    daq.clients.set("det1", {
      lastSeen: `${beats}`,
      status: statusOf("det1", jobs),
      logs: [],
    });
  const tick = async () => {
    daq.requests.length = 0;
    expect(await site.tick()).toMatchObject({ code: 0, stderr: "" });
    return daq.requests.toSorted();
  };
  const statuses = ["/clients/det1/status", "/clients/main/status"];
  const lists = ["/clients", "/clients/det1/logs", "/clients/main/logs"];

  // Makes the rows.
  main();
  det1({ type: "DAQJobTest", out: 1 });
  await tick();
  const set = ["alarm", "set", "enrgdaq_healthcheck", "--param", `rules=${RULES}`];
  expect(await site.command(set)).toMatchObject({ code: 0 });

  main({ type: "DAQJobA", ...LARGE });
  det1({ type: "DAQJobTest", out: 2, ...LARGE });
  // Two alarms ask, and each question is sent once.
  expect(await tick()).toEqual([...lists, ...statuses].toSorted());
  const large = "client:det1:job:DAQJobTest:memory";
  expect(await active(site)).toEqual([large, "client:main:job:DAQJobA:memory"]);

  // A tick may take less than the second of the rule.
  const looked = Date.now();
  await expect.poll(() => Date.now() - looked).toBeGreaterThan(1_000);
  main({ type: "DAQJobA" }, { type: "DAQJobB", ...LARGE });
  det1();
  daq.clients.set("det1", { lastSeen: "its last", status: "dead", logs: [] });
  await tick();
  const contact = "client:det1:contact";
  const other = "client:main:job:DAQJobB:memory";
  const silence = "client:det1:rule:DAQJobTest:message_out_stats:unsatisfied:1s";
  expect(await active(site)).toEqual([contact, large, silence, other].toSorted());

  // What it was asked took five seconds, so its heartbeat is now at least as old.
  const silent = ["alarm", "set", "enrgdaq_supervisor", "--param", "silent_seconds=5"];
  expect(await site.command(silent)).toMatchObject({ code: 0 });
  const quiet = ["alarm", "set", "enrgdaq_healthcheck", "--archive"];
  expect(await site.command(quiet)).toMatchObject({ code: 0 });
  main({ type: "DAQJobA" }, { type: "DAQJobB" });
  expect(await tick()).toEqual([...lists, "/clients/main/status"].toSorted());
  expect(await active(site)).toEqual([contact, large]);

  main({ type: "DAQJobA" }, { type: "DAQJobB" });
  det1({ type: "DAQJobTest", out: 9, ...LARGE });
  await tick();
  expect(await active(site)).toEqual([large]);
  const events = await site.entries("event");
  expect(events.filter(({ data }) => data.dedupe_key === large)).toHaveLength(1);
});
