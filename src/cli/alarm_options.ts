import { type Command, InvalidArgumentError } from "commander";
import { isSeverity, SEVERITIES, type Severity } from "../core/level.ts";
import { formatSettle, parseSettle } from "../core/settle.ts";
import { MAX_GROWTH } from "../store/alarm_settings.ts";
import type { JsonObject } from "../text/json.ts";
import { suggestion } from "../text/nearest.ts";

/** Commander makes an empty text of null. */
const OFF = "off";

/** Settings of an alarm as its row has them, or `OFF` for null. */
export interface SettingOptions {
  readonly mail?: boolean;
  readonly severity?: Severity | typeof OFF;
  readonly settle?: string;
  readonly clearAfter?: string;
  readonly notifyClear?: boolean;
  readonly renotify?: number;
  readonly renotifyGrowth?: number;
  readonly renotifyMaxHours?: number | typeof OFF;
  readonly renotifyCount?: number | typeof OFF;
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
      "of detections without their own: info, warning, error, critical, or none",
      parseSeverity,
    )
    .option(
      "--settle <rule>",
      "fire after 3 outcomes in a row with it (3), 2 of the last 3 (2/3), or 15 minutes (15m); off: at once",
      parseSettleOption,
    )
    .option(
      "--clear-after <rule>",
      "clear after so many outcomes, or so long, without it; off: at once",
      parseSettleOption,
    )
    .option("--notify-clear <on|off>", "notify also when an event clears", parseSwitch)
    .option("--renotify <hours>", "mail again after this many hours; 0 means never", parseHours)
    .option(
      "--renotify-growth <factor>",
      "each further wait is this many times as long; 1: the same",
      parseGrowth,
    )
    .option(
      "--renotify-max-hours <hours>",
      "the longest wait until it mails again; off: no limit",
      parseMaxHours,
    )
    .option(
      "--renotify-count <n>",
      "mail again this many times at most; off: no limit",
      parseCount,
    );
}

/** The keys of the row that the options change. */
export function settingKeys(options: SettingOptions): JsonObject {
  const data: JsonObject = {};
  for (const [name, key] of KEYS) {
    const value = options[name];
    if (value !== undefined) data[key] = value === OFF ? null : value;
  }
  return data;
}

const HOURS = /^\d{1,6}(\.\d+)?$/;

function parseSwitch(text: string): boolean {
  if (text === "on" || text === "off") return text === "on";
  throw new InvalidArgumentError("write on or off");
}

function parseSeverity(text: string): Severity | typeof OFF {
  if (text === "none") return OFF;
  if (isSeverity(text)) return text;
  throw new InvalidArgumentError(
    `there is no such severity${suggestion(text, SEVERITIES)}; write ${SEVERITIES.join(", ")} or none`,
  );
}

function parseSettleOption(text: string): string {
  const rule = parseSettle(text);
  if (rule !== undefined && "error" in rule) throw new InvalidArgumentError(rule.error);
  return formatSettle(rule) ?? OFF;
}

function parseHours(text: string): number {
  if (HOURS.test(text)) return Number(text);
  throw new InvalidArgumentError("write a number of hours, such as 24");
}

function parseMaxHours(text: string): number | typeof OFF {
  if (text === OFF) return OFF;
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

function parseCount(text: string): number | typeof OFF {
  if (text === OFF) return OFF;
  if (/^\d{1,6}$/.test(text) && Number(text) >= 1) return Number(text);
  throw new InvalidArgumentError("write a whole number, at least 1, or off");
}
