const ALARM_PREFIX = "alarm_";

/** The name of the built-in alarm, which reports what is wrong with the engine itself. */
export const ENGINE = "engine";

/** `alarm_x` → `x`; a row that was made without the prefix names the alarm as it stands. */
export function alarmName(entryId: string): string {
  return entryId.startsWith(ALARM_PREFIX) ? entryId.slice(ALARM_PREFIX.length) : entryId;
}

/** `x` → `alarm_x`: the `entry_id` of the alarm's configuration row. */
export function alarmEntryId(name: string): string {
  return ALARM_PREFIX + name;
}

/** `x` → `event_x`: the `entry_id` that all events of the alarm share. */
export function eventEntryId(name: string): string {
  return `event_${name}`;
}

/** A lower-case identifier, so that it can be a file name in the alarms folder. */
export function isAlarmName(text: string): boolean {
  return /^[a-z][a-z0-9_]{0,199}$/.test(text);
}
