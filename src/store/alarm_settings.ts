import { isSeverity, SEVERITIES, type Severity } from "../core/level.ts";
import type { AlarmRow } from "../core/model.ts";
import type { RenotifyRule } from "../core/renotify.ts";
import { formatSettle, parseSettle, type SettleRule } from "../core/settle.ts";
import { quote } from "../text/describe.ts";
import type { JsonObject, JsonValue } from "../text/json.ts";
import { suggestion } from "../text/nearest.ts";

/** One value of an alarm's row each; a value that cannot be read is added to `faults`. */

type Value = JsonValue | undefined;

/** Editors write an empty text where a field was cleared. */
function isUnset(value: Value): value is undefined | null | "" {
  return value === undefined || value === null || value === "";
}

export function parseEnabled(value: Value, faults: string[]): boolean {
  // The dashboards show null as off too.
  return value === null ? false : parseBoolean("enabled", value, true, faults);
}

export function parseBoolean(key: string, value: Value, preset: boolean, faults: string[]) {
  if (value === undefined || value === null) return preset;
  if (typeof value === "boolean") return value;
  faults.push(
    `the row's ${key} is ${quote(value)}, treated as ${preset}; it must be true or false`,
  );
  return preset;
}

export function parseChannels(value: Value, faults: string[]): readonly string[] {
  const given: readonly unknown[] = Array.isArray(value) ? value : [value ?? []].flat();
  const names = given
    .filter((name) => typeof name === "string")
    .flatMap((name) => name.split(/[\s,;]+/));
  if (given.some((name) => typeof name !== "string"))
    faults.push(
      `the row's channels are ${quote(value)}; they must be a list of names such as ["email"]`,
    );
  return [...new Set(names.filter((name) => name !== ""))];
}

/** In any letter case: rows may be older than this engine. */
export function parseSeverity(value: Value, faults: string[]): Severity | undefined {
  if (isUnset(value) || value === "none") return undefined;
  const text = typeof value === "string" ? value.trim().toLowerCase() : "";
  if (isSeverity(text)) return text;
  faults.push(
    `the row's severity is ${quote(value)}, treated as none${suggestion(text, SEVERITIES)}; write ${SEVERITIES.join(", ")} or none`,
  );
  return undefined;
}

/** `settle` or `clear_after`; a whole number is that many outcomes. */
export function parseSettleKey(
  key: string,
  value: Value,
  faults: string[],
): SettleRule | undefined {
  if (isUnset(value)) return undefined;
  const isText = typeof value === "string" || typeof value === "number";
  const rule = parseSettle(isText ? String(value).trim() : "");
  if (rule === undefined || !("error" in rule))
    return formatSettle(rule) === null ? undefined : rule;
  faults.push(`the row's ${key} is ${quote(value)}, treated as off; ${rule.error}`);
  return undefined;
}

export const MAX_GROWTH = 10;

export function parseRenotify(data: JsonObject, faults: string[]): RenotifyRule {
  const read = (key: string, isValid: (value: number) => boolean, says: string) => {
    const value = data[key];
    if (isUnset(value)) return undefined;
    const number = typeof value === "string" ? Number(value) : value;
    if (typeof number === "number" && Number.isFinite(number) && isValid(number)) return number;
    faults.push(`the row's ${key} is ${quote(value)}, ${says}`);
    return undefined;
  };
  const hours = read(
    "renotification_window_hours",
    (value) => value >= 0,
    "treated as 0; it must be a number of hours",
  );
  const growth = read(
    "renotification_growth",
    (value) => value >= 1 && value <= MAX_GROWTH,
    `treated as 1; it must be a number from 1 to ${MAX_GROWTH}`,
  );
  const maxHours = read(
    "renotification_max_hours",
    (value) => value > 0,
    "ignored; it must be a number of hours above 0",
  );
  const count = read(
    "renotification_count",
    (value) => Number.isInteger(value) && value >= 1,
    "ignored; it must be a whole number, at least 1",
  );
  return { hours: hours ?? 0, growth: growth ?? 1, maxHours, count };
}

/** Keys of a row that override the configuration's limits, with their least and greatest values. */
const LIMITS = [
  ["timeout", "alarm_timeout", 0.1, 3600, "seconds"],
  ["memory", "alarm_memory", 64, 1_048_576, "MiB"],
  ["detections", "max_detections", 1, 10_000_000, "detections"],
] as const;

export function parseLimits(data: JsonObject, faults: string[]): AlarmRow["limits"] {
  const limits: { -readonly [name in keyof AlarmRow["limits"]]: AlarmRow["limits"][name] } = {};
  for (const [name, key, least, most, unit] of LIMITS) {
    const value = data[key];
    if (value === undefined || value === null) continue;
    if (typeof value === "number" && value >= least && value <= most) limits[name] = value;
    else
      faults.push(
        `the row's ${key} is ${quote(value)}, ignored; it must be ${least} to ${most} ${unit}`,
      );
  }
  return limits;
}
