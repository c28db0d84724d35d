/** The alarm's name in its configuration row's `entry_id`, and in the `entry_id` of its events. */
const ALARM_PREFIX = "alarm_";

/** `alarm_x` → `x`; a row that was made without the prefix names the alarm as it stands. */
export function alarmName(entryId: string): string {
  return entryId.startsWith(ALARM_PREFIX) ? entryId.slice(ALARM_PREFIX.length) : entryId;
}

/** `x` → `alarm_x`. */
export function alarmEntryId(name: string): string {
  return ALARM_PREFIX + name;
}

/** `x` → `event_x`, shared by all firings of the alarm. */
export function eventEntryId(name: string): string {
  return `event_${name}`;
}

/** A name that may be a file in the alarms folder: lower-case identifier, nothing else. */
export function isAlarmName(text: string): boolean {
  return /^[a-z][a-z0-9_]{0,199}$/.test(text);
}
