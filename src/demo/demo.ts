import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import type { Channel } from "../channel/channel.ts";
import { channelFaults } from "../channel/registry.ts";
import { printLines } from "../cli/output.ts";
import { makeEngine } from "../cli/session.ts";
import type { Config } from "../config/config.ts";
import { ConfigError, loadConfig, SHIPPED_ALARMS } from "../config/load.ts";
import { SILENT } from "../core/log.ts";
import { startDeadline } from "../engine/deadline.ts";
import { type Engine, tick } from "../engine/tick.ts";
import { TICK_LOCK } from "../engine/tick_lock.ts";
import { sourceFaults } from "../source/registry.ts";
import { alarmRows, changeAlarm } from "../store/alarms.ts";
import { type Database, DatabaseBusy } from "../store/database.ts";
import { DATABASE_LOCK, isFolderLocked } from "../store/embedded/folder_lock.ts";
import { migrate } from "../store/migrate.ts";
import { openDatabase } from "../store/open.ts";
import { setTeam } from "../store/teams.ts";
import { errorText } from "../text/describe.ts";
import { type DemoFolder, demoFolder, folderError, makeFolder } from "./demo_folder.ts";
import {
  type DeliveredMail,
  renderExplanation,
  renderHeading,
  renderMail,
  renderNextSteps,
  renderReport,
  renderSetup,
  renderWelcome,
} from "./render.ts";
import { type ProxyResponse, type SampleProxy, startSampleProxy } from "./sample_proxy.ts";
import { sampleTasks } from "./sample_tasks.ts";
import { SETUP, STORY } from "./story.ts";

export function declare(command: Command): void {
  command
    .description(
      "Runs six real ticks against a sample proxy on this machine and explains each. Database and mail stay in one folder.",
    )
    .option("--dir <folder>", "folder for the demo's files", "swf-alarms-demo")
    .action(({ dir }: { readonly dir: string }) => runDemo(demoFolder(dir)));
}

async function runDemo(folder: DemoFolder): Promise<void> {
  await checkFolder(folder);
  const proxy = await startSampleProxy();
  try {
    try {
      makeFolder(folder, proxy.baseUrl, SHIPPED_ALARMS);
    } catch (error) {
      throw unusable(folder, errorText(error));
    }
    printLines(renderWelcome(folder, proxy.baseUrl));
    const loaded = loadConfig(folder.config, process.env, { channelFaults, sourceFaults });
    // The demo has no secrets, so it does not matter who can write the alarms of this checkout.
    const config: Config = { ...loaded, engine: { ...loaded.engine, allowWritable: true } };
    const db = await openDatabase(config.db);
    try {
      await migrate(db);
      await runStory(makeEngine(db, config, SILENT), proxy, folder);
    } finally {
      await db.close();
    }
  } finally {
    await proxy.close();
  }
  printLines(renderNextSteps(folder));
}

/** Throws ConfigError, or DatabaseBusy while another command uses the folder. */
async function checkFolder(folder: DemoFolder): Promise<void> {
  const error = folderError(folder);
  if (error !== undefined) throw unusable(folder, error);
  if (!existsSync(folder.state)) return;
  for (const name of [DATABASE_LOCK, TICK_LOCK])
    if (await isFolderLocked(folder.state, name))
      throw new DatabaseBusy(
        `${folder.state} is in use by another command; try again when it ends`,
      );
}

function unusable({ path }: DemoFolder, reason: string): ConfigError {
  return new ConfigError(
    `cannot use the folder ${path} for the demo: ${reason}; choose another one with --dir FOLDER`,
  );
}

const LOGIN_PAGE: ProxyResponse = {
  status: 200,
  body: "<!DOCTYPE html><html><head><title>Log in</title></head><body><form></form></body></html>",
  contentType: "text/html; charset=utf-8",
};

/** Runs the ticks of the story, at times in the past; the last one is now. */
async function runStory(real: Engine, proxy: SampleProxy, folder: DemoFolder): Promise<void> {
  let offset = 60 * STORY.reduce((sum, { minutesLater }) => sum + minutesLater, 0);
  let mails: DeliveredMail[] = [];
  let mailShown = false;
  const engine: Engine = {
    ...real,
    clock: () => real.clock() - offset,
    openChannel: async (opener) =>
      recording(await real.openChannel(opener), folder, (mail) => mails.push(mail)),
  };
  for (const [index, story] of STORY.entries()) {
    offset -= story.minutesLater * 60;
    const now = engine.clock();
    const deadline = startDeadline(engine.config.engine.tickTimeout);
    proxy.tasks = sampleTasks(index, now);
    proxy.now = now;
    proxy.intercept = () => (story.loginPage ? LOGIN_PAGE : undefined);
    printLines(renderHeading(story, index + 1, now));
    mails = [];
    printLines(
      renderReport(await tick(engine, { mode: "tick", only: undefined, deadline }), mails),
    );
    const [firstMail] = mails;
    if (firstMail !== undefined && !mailShown) printLines(renderMail(firstMail));
    mailShown ||= firstMail !== undefined;
    printLines(renderExplanation(story));
    if (index === 0) {
      await setUp(engine.db, now);
      printLines(renderSetup(folder));
    }
  }
}

/** The channel; `record` gets each mail that it has delivered. */
function recording(
  channel: Channel,
  folder: DemoFolder,
  record: (mail: DeliveredMail) => void,
): Channel {
  return {
    deliver: async (mail, signal) => {
      const delivery = await channel.deliver(mail, signal);
      for (const file of delivery.messageIds) record({ mail, path: join(folder.outbox, file) });
      return delivery;
    },
  };
}

/** Configures the alarm as the printed commands do. */
async function setUp(db: Database, now: number): Promise<void> {
  const row = (await alarmRows(db)).rows.find(({ name }) => name === SETUP.alarm);
  if (row === undefined) throw new Error(`the demo needs the shipped alarm ${SETUP.alarm}`);
  const data = {
    enabled: true,
    recipients: [SETUP.team],
    renotification_window_hours: SETUP.renotifyHours,
    params: { ...row.params, threshold: SETUP.threshold },
  };
  const team = { name: SETUP.team, title: "Shift crew", members: SETUP.members };
  await db.transaction(async (tx) => {
    await setTeam(tx, team, "demo", now);
    await changeAlarm(tx, row.id, { data }, "demo", now);
  });
}
