import { userInfo } from "node:os";
import { type Command, InvalidArgumentError } from "commander";
import { type Alarm, newAlarm } from "../alarm/load_alarms.ts";
import type { Config } from "../config/config.ts";
import type { AlarmRow } from "../core/model.ts";
import { resolveParams } from "../core/params.ts";
import { isAddress, resolveRecipients, splitRecipients } from "../core/recipients.ts";
import { changeAlarm, createAlarm } from "../store/alarms.ts";
import type { Database } from "../store/database.ts";
import { listTeams } from "../store/teams.ts";
import type { JsonObject } from "../text/json.ts";
import { findAlarm, NotFound, renderState } from "./alarms.ts";
import { printLines } from "./output.ts";
import { parseAssignments } from "./param_option.ts";
import { addConfigOption, type ConfigOption, readConfig, withDatabase } from "./session.ts";

interface SetOptions extends ConfigOption {
  readonly mail?: boolean;
  readonly recipients?: readonly string[];
  readonly renotify?: number;
  readonly param?: readonly string[];
  readonly unset?: readonly string[];
  readonly title?: string;
  readonly description?: string;
  readonly archive?: true;
  readonly unarchive?: true;
}

/** `alarm set`: what the dashboard's editor changes, for sites without a dashboard. */
export function declareAlarmSet(command: Command): void {
  addConfigOption(command.argument("<name>", "name of the alarm"))
    .description(
      "Changes an alarm's row; the state before is kept as a version, as the dashboard does.",
    )
    .option("--mail <on|off>", "turn mail on or off; detection goes on either way", parseSwitch)
    .option("--recipients <who...>", "addresses and @teams; replaces the list")
    .option(
      "--renotify <hours>",
      "mail again while it fires, every so many hours; 0 means never",
      parseHours,
    )
    .option("--param <name=value...>", "set parameters (JSON, or a text as it is)")
    .option("--unset <name...>", "go back to the default of these parameters")
    .option("--title <text>", "title of the alarm")
    .option("--description <text>", "head of the mail")
    .option("--archive", "stop the alarm")
    .option("--unarchive", "start it again")
    .action(async (name: string, options: SetOptions) => {
      await withDatabase(readConfig(options), async (db, config) => {
        const entryId = await setAlarm(db, config, name, options);
        printLines([`changed ${entryId}; see: bin/swf-alarms alarm show ${name}`]);
        printLines(await remainingTrouble(db, config, name));
      });
    });
}

async function setAlarm(
  db: Database,
  config: Config,
  name: string,
  options: SetOptions,
): Promise<string> {
  const now = Date.now() / 1000;
  const alarm = await findAlarm(db, config, name);
  const data: JsonObject = {};
  if (options.mail !== undefined) data.enabled = options.mail;
  if (options.recipients !== undefined) data.recipients = parseRecipients(options.recipients);
  if (options.renotify !== undefined) data.renotification_window_hours = options.renotify;
  if (options.param !== undefined || options.unset !== undefined)
    data.params = parseParams(alarm, options);
  const archived = options.archive ?? (options.unarchive === true ? false : undefined);
  const change = {
    data,
    ...(options.title === undefined ? {} : { title: options.title }),
    ...(options.description === undefined ? {} : { description: options.description }),
    ...(archived === undefined ? {} : { archived }),
  };
  if (Object.keys(change).length === 1 && Object.keys(data).length === 0) {
    throw new InvalidArgumentError("nothing to change; see: bin/swf-alarms alarm set --help");
  }
  const { id, entryId } = alarm.row.id === "" ? await makeRow(db, alarm, now) : alarm.row;
  await db.transaction((tx) => changeAlarm(tx, id, change, `cli:${userInfo().username}`, now));
  return entryId;
}

/** What still keeps the alarm from running, or its mail from reaching anybody. */
async function remainingTrouble(db: Database, config: Config, name: string): Promise<string[]> {
  const alarm = await findAlarm(db, config, name);
  if (alarm.row.archived) return [];
  const trouble: string[] = [];
  if (alarm.readiness.kind !== "ready") trouble.push(`it does not run yet: ${renderState(alarm)}`);
  const { addresses, unresolved } = resolveRecipients(alarm.row.recipients, await listTeams(db));
  for (const team of unresolved) trouble.push(`there is no team ${team}, or it has no members`);
  if (alarm.row.enabled && addresses.length === 0)
    trouble.push("its mail is on, but there is nobody to mail");
  return trouble;
}

/** The row's parameters after the change. A value that the module refuses is refused here already. */
function parseParams({ row, module }: Alarm, options: SetOptions): JsonObject {
  const given = parseAssignments(options.param ?? []);
  const { faults, unknown } = resolveParams(module?.params ?? {}, given);
  const [problem] = module === undefined ? [] : [...faults, ...unknown];
  if (problem !== undefined) throw new InvalidArgumentError(problem);
  const params: JsonObject = { ...row.params, ...given };
  for (const name of options.unset ?? []) delete params[name];
  return params;
}

function parseRecipients(texts: readonly string[]): string[] {
  const tokens = texts.flatMap(splitRecipients);
  const wrong = tokens.find((token) => !token.startsWith("@") && !isAddress(token));
  if (wrong !== undefined) {
    throw new InvalidArgumentError(
      `found ${JSON.stringify(wrong)}; write mail addresses and @teams`,
    );
  }
  return tokens;
}

/** A module that no tick has seen yet gets its row now. */
async function makeRow(db: Database, { row, module }: Alarm, now: number): Promise<AlarmRow> {
  if (module === undefined) {
    throw new NotFound(`the alarm ${row.name} cannot be loaded; see: bin/swf-alarms alarm list`);
  }
  return await createAlarm(db, newAlarm(row.name, { ok: true, module }), now);
}

function parseSwitch(text: string): boolean {
  if (text === "on") return true;
  if (text === "off") return false;
  throw new InvalidArgumentError(`write on or off`);
}

function parseHours(text: string): number {
  const hours = Number(text);
  if (text.trim() === "" || !Number.isFinite(hours) || hours < 0)
    throw new InvalidArgumentError("write a number of hours, such as 24");
  return hours;
}
