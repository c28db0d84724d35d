import { type Command, InvalidArgumentError } from "commander";
import { isSeverity, SEVERITIES, type Severity } from "../core/level.ts";
import { formatSettle, parseSettle } from "../core/settle.ts";
import { MAX_GROWTH } from "../store/alarm_settings.ts";
import type { JsonObject } from "../text/json.ts";
import { suggestion } from "../text/nearest.ts";

/** Settings of an alarm as its row has them; null is the default. */
export interface SettingOptions {
  readonly mail?: boolean;
  readonly severity?: Severity | null;
  readonly settle?: string | null;
  readonly clearAfter?: string | null;
  readonly notifyClear?: boolean;
  readonly renotify?: number;
  readonly renotifyGrowth?: number;
  readonly renotifyMaxHours?: number | null;
  readonly renotifyCount?: number | null;
}

const KEYS: readonly (readonly [keyof SettingOptions, key: string])[] = [
  ["mail", "enabled"],
  ["severity", "severity"],
  ["settle", "settle"],
  ["clearAfter", "clear_after"],
  ["notifyClear", "notify_clear"],
  ["renotify", "renotification_window_hours"],
  ["renotifyGrowth", "renotification_growth"],
  ["renotifyMaxHours", "renotification_max_hours"],
  ["renotifyCount", "renotification_count"],
];

export function addSettingOptions(command: Command): Command {
  return command
    .option("--mail <on|off>", "turn mail on or off; detection continues either way", parseSwitch)
    .option(
      "--severity <level>",
      "of detections without their own: info, warning, error or critical; none",
      parseSeverity,
    )
    .option(
      "--settle <rule>",
      "fire once seen in 3 outcomes in a row (3), in 2 of the last 3 (2/3), for 15 minutes (15m); off: at once",
      parseSettleOption,
    )
    .option(
      "--clear-after <rule>",
      "clear once unseen by such a rule; off: at once",
      parseSettleOption,
    )
    .option("--notify-clear <on|off>", "notify of clears too", parseSwitch)
    .option("--renotify <hours>", "mail again after this many hours; 0 means never", parseHours)
    .option(
      "--renotify-growth <factor>",
      "make each wait so many times as long; 1: the same",
      parseGrowth,
    )
    .option("--renotify-max-hours <hours>", "the longest wait; off: no limit", parseMaxHours)
    .option("--renotify-count <n>", "stop after this many; off: no limit", parseCount);
}

/** The keys of the row that the options change. */
export function settingKeys(options: SettingOptions): JsonObject {
  return Object.fromEntries(
    KEYS.flatMap(([name, key]) => (options[name] === undefined ? [] : [[key, options[name]]])),
  );
}

const HOURS = /^\d{1,6}(\.\d+)?$/;

function parseSwitch(text: string): boolean {
  if (text === "on" || text === "off") return text === "on";
  throw new InvalidArgumentError("write on or off");
}

function parseSeverity(text: string): Severity | null {
  if (text === "none") return null;
  if (isSeverity(text)) return text;
  throw new InvalidArgumentError(
    `there is no such severity${suggestion(text, SEVERITIES)}; write ${SEVERITIES.join(", ")} or none`,
  );
}

function parseSettleOption(text: string): string | null {
  const rule = parseSettle(text);
  if (rule !== undefined && "error" in rule) throw new InvalidArgumentError(rule.error);
  return formatSettle(rule);
}

function parseHours(text: string): number {
  if (HOURS.test(text)) return Number(text);
  throw new InvalidArgumentError("write a number of hours, such as 24");
}

function parseMaxHours(text: string): number | null {
  if (text === "off") return null;
  if (HOURS.test(text) && Number(text) > 0) return Number(text);
  throw new InvalidArgumentError("write a number of hours above 0, such as 24, or off");
}

function parseGrowth(text: string): number {
  const factor = /^\d{1,2}(\.\d+)?$/.test(text) ? Number(text) : 0;
  if (factor >= 1 && factor <= MAX_GROWTH) return factor;
  throw new InvalidArgumentError(
    `write a factor from 1 to ${MAX_GROWTH}, such as 2; 1 keeps every wait the same`,
  );
}

function parseCount(text: string): number | null {
  if (text === "off") return null;
  if (/^\d{1,6}$/.test(text) && Number(text) >= 1) return Number(text);
  throw new InvalidArgumentError("write a whole number, at least 1, or off");
}
