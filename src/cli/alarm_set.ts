import { type Command, InvalidArgumentError, Option } from "commander";
import { type Alarm, ENGINE_ALARM, newAlarm } from "../alarm/load_alarms.ts";
import { readChannels } from "../channel/registry.ts";
import type { Config } from "../config/config.ts";
import { EMAIL } from "../core/alarm_channels.ts";
import { ENGINE } from "../core/event_key.ts";
import { resolveRecipients } from "../core/recipients.ts";
import { changeAlarm, createAlarm } from "../store/alarms.ts";
import type { Database } from "../store/database.ts";
import { listTeams } from "../store/teams.ts";
import { addSettingOptions, type SettingOptions, settingKeys } from "./alarm_options.ts";
import { findAlarm, NotFound, renderState, requireKnown } from "./alarms.ts";
import { endArchived } from "./archive.ts";
import { unusableChannels } from "./channels.ts";
import { printLines } from "./output.ts";
import { addParamOptions, type ParamOptions, readParams } from "./param_option.ts";
import { parseRecipients } from "./recipients.ts";
import { reminderNotes } from "./reminders.ts";
import { addConfigOption, type ConfigOption, readConfig, withDatabase } from "./session.ts";
import { commandUser } from "./user.ts";

interface SetOptions extends ConfigOption, SettingOptions, ParamOptions {
  readonly recipients?: readonly string[];
  readonly channel?: readonly string[];
  readonly unset?: readonly string[];
  readonly title?: string;
  readonly description?: string;
  readonly archive?: true;
  readonly unarchive?: true;
}

export function declare(command: Command): void {
  const named = addConfigOption(command.argument("<name>", "name of the alarm"));
  const withSettings = addSettingOptions(named)
    .description("Changes an alarm's row. The previous state is kept as a version.")
    .option("--recipients <who...>", "addresses and @teams; replaces the list")
    .option(
      "--channel <name...>",
      'channels it notifies on; "default" for those of the configuration',
    );
  addParamOptions(withSettings, "set parameters; alarm show lists their types")
    .option("--unset <name...>", "reset these parameters to their defaults")
    .option("--title <text>", "title of the alarm")
    .option("--description <text>", "text at the top of the mail")
    .addOption(new Option("--archive", "stop the alarm").conflicts("unarchive"))
    .option("--unarchive", "start it again")
    .action(async (typed: string, options: SetOptions) => {
      const set = async (db: Database, config: Config): Promise<void> => {
        const name = await setAlarm(db, config, typed, options);
        printLines([`changed ${name}; see: bin/swf-alarms alarm show ${name}`]);
        if (options.archive) printLines(await endArchived(db, config, name));
        printLines(await remainingSteps(db, config, name));
      };
      await withDatabase(readConfig(options), set, "write");
    });
}

/** Returns the alarm's name. */
async function setAlarm(
  db: Database,
  config: Config,
  typed: string,
  options: SetOptions,
): Promise<string> {
  const now = Date.now() / 1000;
  const alarm = await findAlarm(db, config, typed);
  const { name } = alarm.row;
  const { recipients, channel, unset = [], title, description, settle } = options;
  if (name === ENGINE && settle !== undefined)
    throw new InvalidArgumentError(
      `leave out --settle: what the alarm ${ENGINE} watches settles by rules of its own; see docs/operations.md`,
    );
  const data = settingKeys(options);
  if (recipients !== undefined) data.recipients = (await parseRecipients(db, recipients)).to;
  if (channel !== undefined) data.channels = parseChannelNames(config, channel);
  const params = readParams(alarm, options, unset);
  const archived = options.archive ?? (options.unarchive === true ? false : undefined);
  const columns = [title, description, archived, Object.keys(params), unset];
  if (Object.keys(data).length === 0 && columns.flat().every((value) => value === undefined))
    throw new InvalidArgumentError("nothing to change; see: bin/swf-alarms alarm set --help");
  const { id } = alarm.row.id === "" ? await createRow(db, alarm, now) : alarm.row;
  const change = { title, description, archived, data, params, unset };
  await db.transaction((tx) => changeAlarm(tx, id, change, commandUser(), now));
  return name;
}

/** What still keeps the alarm from running, or its mail from being sent. */
async function remainingSteps(db: Database, config: Config, name: string): Promise<string[]> {
  const alarm = await findAlarm(db, config, name);
  const { row } = alarm;
  if (row.archived) return [];
  const lines: string[] = [];
  if (alarm.readiness.kind !== "ready") lines.push(`it does not run yet: ${renderState(alarm)}`);
  const { addresses, faults } = resolveRecipients(row.recipients, await listTeams(db));
  lines.push(...faults);
  const channels = readChannels(config.channels);
  const needsAddresses = row.channels.some((name) => {
    const { opener } = channels.get(name) ?? {};
    return name === EMAIL || (opener !== undefined && opener.target === undefined);
  });
  if (row.enabled && needsAddresses && addresses.length === 0)
    lines.push("its mail is on, but it has no recipients");
  return [...lines, ...unusableChannels(row, channels), ...reminderNotes(row.renotify)];
}

function parseChannelNames(config: Config, names: readonly string[]): string[] {
  if (names.length === 1 && names[0] === "default") return [];
  requireKnown("channel", names, [EMAIL, ...config.channels.tables.keys()]);
  return [...new Set(names)];
}

/** For a module that no tick has loaded yet. */
async function createRow(db: Database, { row, module }: Alarm, now: number) {
  if (row.name === ENGINE) return await db.transaction((tx) => createAlarm(tx, ENGINE_ALARM, now));
  if (module === undefined)
    throw new NotFound(`the alarm ${row.name} cannot be loaded; see: bin/swf-alarms alarm list`);
  return await db.transaction((tx) =>
    createAlarm(tx, newAlarm(row.name, { ok: true, module }), now),
  );
}
