import { custom, object, optional } from "valibot";
import { EMAIL } from "../core/alarm_channels.ts";
import { mailbox } from "../core/recipients.ts";
import type { Config, SettingsTable, Surroundings } from "./config.ts";
import { isTable, parseTable, showPath, tableFault } from "./issue.ts";

/** What `[email]` has beside the settings of a channel. */
const Email = object({
  operators: optional(
    custom<string[]>(
      (value) => Array.isArray(value) && value.every(isRecipient),
      'must be a list of email addresses and @teams, such as ["ops@host.example", "@ops"]',
    ),
    [],
  ),
});

/**
 * The tables `[email]` and `[channels.NAME]`. A wrong setting in `[email]` is a fault of the file. In another one it is
 * that channel's fault alone, which `channel/registry.ts` reports.
 */
export function parseChannels(
  email: unknown,
  channels: unknown,
  around: Surroundings,
  faults: string[],
): Pick<Config, "channels" | "operators"> {
  const tables = new Map<string, SettingsTable>();
  let operators: readonly string[] = [];
  if (isTable(email)) {
    const { provider = "ses", operators: given, type, ...settings } = email;
    if (type !== undefined) faults.push("email.type: unknown key (did you mean provider?)");
    operators = parseTable(Email, [EMAIL], { operators: given }, faults)?.operators ?? [];
    const table = { path: [EMAIL], settings: { ...settings, type: provider } };
    tables.set(EMAIL, table);
    faults.push(...around.channelFaults(table, around));
  } else if (email !== undefined) faults.push(tableFault([EMAIL], email));
  if (!isTable(channels)) faults.push(tableFault(["channels"], channels));
  for (const [name, settings] of Object.entries(isTable(channels) ? channels : {})) {
    const path = ["channels", name];
    if (name === EMAIL)
      faults.push(`${showPath(path)}: this name is reserved for [email]; choose another`);
    // Valibot's `record` drops these keys, so that no stamp of such a channel would count.
    else if (/^(constructor|prototype)$/.test(name))
      faults.push(`${showPath(path)}: this name is reserved; choose another`);
    else if (!/^[a-z][a-z0-9_-]{0,49}$/.test(name))
      faults.push(`${showPath(path)}: must have a name of lower-case letters, digits, _ and -`);
    else if (!isTable(settings)) faults.push(tableFault(path, settings));
    else tables.set(name, { path, settings });
  }
  return { channels: { tables, around }, operators };
}

/** One address, or the name of a team. */
function isRecipient(token: unknown): boolean {
  return typeof token === "string" && (/^@[^\s,;]+$/u.test(token) || mailbox(token) !== undefined);
}
