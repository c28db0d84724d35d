import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import type { Channel } from "../channel/channel.ts";
import { printLines } from "../cli/output.ts";
import { makeEngine } from "../cli/session.ts";
import type { Config } from "../config/config.ts";
import { ConfigError, loadConfig, SHIPPED_ALARMS } from "../config/load.ts";
import { type Engine, tick } from "../engine/tick.ts";
import { alarmRows, changeAlarm } from "../store/alarms.ts";
import { type Database, DatabaseBusy } from "../store/database.ts";
import { lockFolder } from "../store/embedded/folder_lock.ts";
import { migrate } from "../store/migrate.ts";
import { openDatabase } from "../store/open.ts";
import { setTeam } from "../store/teams.ts";
import { errorText } from "../text/describe.ts";
import { type DemoFolder, demoFolder, objection, remakeFolder } from "./demo_folder.ts";
import {
  type DeliveredMail,
  renderDone,
  renderFarewell,
  renderMail,
  renderMoral,
  renderScene,
  renderSetUp,
  renderWelcome,
} from "./render.ts";
import { type SampleProxy, startSampleProxy } from "./sample_proxy.ts";
import { sampleTasks } from "./sample_tasks.ts";
import { SET_UP, STORY } from "./story.ts";

interface DemoOptions {
  readonly dir: string;
}

/** `demo`: the engine at work on made-up data. */
export function declareDemo(command: Command): void {
  command
    .description(
      "Runs six real ticks against a sample proxy on this machine, with a database and mails in a folder, and explains what happens.",
    )
    .option("--dir <folder>", "folder for all that the demo makes", "swf-alarms-demo")
    .action(runDemo);
}

async function runDemo({ dir }: DemoOptions): Promise<void> {
  const folder = demoFolder(dir);
  await checkFolder(folder);
  const proxy = await startSampleProxy();
  try {
    makeFolder(folder, proxy.baseUrl);
    printLines(renderWelcome(folder, proxy.baseUrl, STORY.length));
    const config = demoConfig(folder);
    const db = await openDatabase(config.db);
    try {
      await migrate(db);
      await tellStory(makeEngine(db, config, silent), proxy, folder);
    } finally {
      await db.close();
    }
  } finally {
    await proxy.close();
  }
  printLines(renderFarewell(folder));
}

/** Made-up data and no login: who may write the checkout's alarms is not for the demo to judge. */
function demoConfig(folder: DemoFolder): Config {
  const config = loadConfig(folder.config, process.env);
  return { ...config, engine: { ...config.engine, allowWritable: true } };
}

const silent: Engine["log"] = { error: () => {}, info: () => {}, debug: () => {} };

/** Throws ConfigError for a folder that is not the demo's, DatabaseBusy while another command uses it. */
async function checkFolder(folder: DemoFolder): Promise<void> {
  const why = objection(folder);
  if (why !== undefined) {
    throw new ConfigError(
      `cannot use the folder ${folder.path} for the demo: ${why}. Nothing was touched; name another one with --dir FOLDER.`,
    );
  }
  if (!existsSync(folder.state)) return;
  const result = await lockFolder(folder.state, 0);
  if (!result.held) {
    throw new DatabaseBusy(
      `${folder.state} is in use by another command; try again when it has ended`,
    );
  }
  await result.lock.release();
}

/** Throws ConfigError. */
function makeFolder(folder: DemoFolder, baseUrl: string): void {
  try {
    remakeFolder(folder, baseUrl, SHIPPED_ALARMS);
  } catch (error) {
    const reason = errorText(error);
    throw new ConfigError(
      `cannot make the demo's folder ${folder.path}: ${reason}. Name another one with --dir FOLDER.`,
    );
  }
}

/** Runs the ticks of the story. Their times lie in the past, so that the last one is at the real now. */
async function tellStory(real: Engine, proxy: SampleProxy, folder: DemoFolder): Promise<void> {
  const minutes = STORY.reduce((sum, { minutesLater }) => sum + minutesLater, 0);
  let now = real.clock() - minutes * 60;
  let offset = 0;
  const outbox: DeliveredMail[] = [];
  const engine: Engine = {
    ...real,
    clock: () => real.clock() - offset,
    channel: async () => watched(await real.channel(), folder, outbox),
  };
  for (const [index, story] of STORY.entries()) {
    now += story.minutesLater * 60;
    offset = real.clock() - now;
    proxy.show({ tasks: sampleTasks(index, now), now, loginPage: story.loginPage });
    printLines(renderScene(story, index + 1, STORY.length, now));
    const mailsBefore = outbox.length;
    const report = await tick(engine, { mode: "tick", only: undefined });
    const mails = outbox.slice(mailsBefore);
    printLines(renderDone(report, mails));
    const [firstMail] = mailsBefore === 0 ? mails : [];
    if (firstMail !== undefined) printLines(renderMail(firstMail));
    printLines(renderMoral(story));
    if (index === 0) {
      await setUp(engine.db, now);
      printLines(renderSetUp(folder));
    }
  }
}

/** The channel, and a note of every mail that it has delivered. */
function watched(
  channel: Channel | undefined,
  folder: DemoFolder,
  outbox: DeliveredMail[],
): Channel | undefined {
  if (channel === undefined) return undefined;
  return {
    name: channel.name,
    deliver: async (mail, signal) => {
      const delivery = await channel.deliver(mail, signal);
      for (const file of delivery.messageIds)
        outbox.push({ mail, path: join(folder.outbox, file) });
      return delivery;
    },
  };
}

/** What an operator does once: names the people and turns the alarm on. */
async function setUp(db: Database, now: number): Promise<void> {
  const row = (await alarmRows(db)).rows.find(({ name }) => name === SET_UP.alarm);
  if (row === undefined) throw new Error(`the demo needs the shipped alarm ${SET_UP.alarm}`);
  const data = {
    enabled: true,
    recipients: [SET_UP.team],
    renotification_window_hours: SET_UP.renotifyHours,
    params: { ...row.params, threshold: SET_UP.threshold },
  };
  const team = { name: SET_UP.team, title: "Shift crew", members: SET_UP.members };
  await db.transaction(async (tx) => {
    await setTeam(tx, team, "demo", now);
    await changeAlarm(tx, row.id, { data }, "demo", now);
  });
}
