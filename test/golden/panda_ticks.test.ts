import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import type { JsonObject } from "../../src/text/json.ts";
import { sesError } from "../support/mail_service.ts";
import { type PandaServer, sharedTasks, startPandaServer } from "../support/panda_server.ts";
import { insertAlarm, insertEntry } from "../support/rows.ts";
import { makeSite, type Site } from "../support/site.ts";
import { describeData, describeTick, passTime } from "./golden_ticks.ts";

const SHIPPED = fileURLToPath(new URL("../../alarms", import.meta.url));
const ALL = "panda_failure_rate_eic_all";
const OWNER = "panda_failure_rate_owner";
const DAY = 86_400;

interface World {
  readonly site: Site;
  readonly panda: PandaServer;
  /** The sample tasks as the service lists them now, by jeditaskid. */
  readonly tasks: Map<number, JsonObject>;
}

interface Step {
  readonly title: string;
  readonly before?: (world: World) => void | Promise<void>;
  readonly after?: (world: World) => void | Promise<void>;
}

const HEALTHY = { nfinalfailed: 0, computed_finalfailurerate: 0 };

const STEPS: readonly Step[] = [
  { title: "the first tick" },
  { title: "the same response again" },
  {
    title: "one task recovers, one leaves the list",
    before: ({ tasks }) => {
      change(tasks, 38951, HEALTHY);
      tasks.delete(38880);
    },
  },
  {
    title: "both fire again",
    before: ({ tasks }) => {
      for (const task of sharedTasks() ?? []) tasks.set(idOf(task), task);
    },
  },
  {
    title: "the upstream cannot count: every count is 0",
    before: ({ panda }) => {
      panda.countsFail = true;
    },
    after: ({ panda }) => {
      panda.countsFail = false;
    },
  },
  {
    title: "the proxy refuses",
    before: ({ panda }) => panda.failWith({ status: 403, body: { detail: "Invalid token." } }),
    after: ({ panda }) => panda.failWith(undefined),
  },
  {
    title: "a login page with status 200",
    before: ({ panda }) =>
      panda.failWith({ status: 200, body: "<html>log in</html>", contentType: "text/html" }),
    after: ({ panda }) => panda.failWith(undefined),
  },
  {
    title: "a task begins to fail, another recovers; mail is down",
    before: ({ site, tasks }) => {
      change(tasks, 38962, { nfinalfailed: 900, computed_finalfailurerate: 0.0896 });
      change(tasks, 38927, HEALTHY);
      site.mail.refuse = () => sesError("InternalFailure", 500);
    },
    after: ({ site }) => {
      site.mail.refuse = undefined;
    },
  },
  { title: "mail works again" },
  {
    title: "more than the renotification window later",
    before: ({ site }) => passTime(site, 1.1 * DAY),
  },
  {
    title: "mail off for all but one owner; a task begins to fail",
    before: async ({ site, tasks }) => {
      change(tasks, 38961, { nfinalfailed: 700, computed_finalfailurerate: 0.1026 });
      await setEnabled(site, ALL, false);
    },
  },
  { title: "mail on again", before: ({ site }) => setEnabled(site, ALL, true) },
  {
    title: "all recover at once",
    before: ({ tasks }) => {
      for (const id of tasks.keys()) change(tasks, id, HEALTHY);
    },
  },
  { title: "the same response again" },
];

test.skipIf(sharedTasks() === undefined)(
  "ticks on the sample tasks leave what is recorded in panda_ticks.txt and panda_events.txt",
  async () => {
    const world = await makeWorld();
    const told: string[] = [];
    for (const [index, step] of STEPS.entries()) {
      world.site.mail.mails.length = 0;
      await step.before?.(world);
      world.panda.setTasks([...world.tasks.values()]);
      const { code } = await world.site.tick();
      const facts = await describeTick(world.site, code, [ALL, OWNER]);
      told.push(`tick ${index + 1}: ${step.title}`, ...facts.map((fact) => `  ${fact}`), "");
      await step.after?.(world);
    }
    await expect(told.join("\n")).toMatchFileSnapshot("panda_ticks.txt");
    await expect(await describeData(world.site)).toMatchFileSnapshot("panda_events.txt");
  },
);

async function makeWorld(): Promise<World> {
  const tasks = new Map((sharedTasks() ?? []).map((task) => [idOf(task), task]));
  const panda = await startPandaServer([...tasks.values()], { prefix: "/prod" });
  onTestFinished(() => panda.close());
  const site = await makeSite({ baseUrl: panda.url, alarmsDir: SHIPPED });
  await site.withDatabase(async (db) => {
    await insertEntry(db, {
      kind: "team",
      name: "@shift",
      title: "Shift",
      content: "ana@example.org, ben@example.org; Ana@example.org",
      context: "teams",
      data: { entry_id: "team_shift" },
    });
    await insertAlarm(db, ALL, {
      recipients: "@shift, chief@example.org",
      renotification_window_hours: 24,
      params: { threshold: 0.03 },
    });
    await insertAlarm(db, OWNER, {
      recipients: ["owner@example.org"],
      params: { threshold: 0.1, username: "%user" },
    });
  });
  return { site, panda, tasks };
}

async function setEnabled(site: Site, alarm: string, enabled: boolean): Promise<void> {
  await site.query(
    "UPDATE entry SET data = jsonb_set(data, '{enabled}', to_jsonb($2::boolean)) WHERE kind = 'alarm' AND data->>'entry_id' = $1",
    [`alarm_${alarm}`, enabled],
  );
}

function change(tasks: Map<number, JsonObject>, id: number, fields: JsonObject): void {
  const task = tasks.get(id);
  if (task === undefined) throw new Error(`the sample has no task ${id}`);
  tasks.set(id, { ...task, ...fields });
}

function idOf({ jeditaskid }: JsonObject): number {
  if (typeof jeditaskid !== "number") throw new Error(`jeditaskid is not a number: ${jeditaskid}`);
  return jeditaskid;
}
