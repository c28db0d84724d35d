import type { RenotifyRule } from "../core/renotify.ts";

/** When an event that keeps firing is notified again, in words. */
export function describeReminders({ hours, growth, maxHours, count }: RenotifyRule): string {
  if (hours <= 0) return "never: one mail per event";
  const most = maxHours ?? Number.POSITIVE_INFINITY;
  const first = Math.min(hours, most);
  if (count === 1) return `once, after ${first} h, marked FINAL`;
  const times = count === undefined ? "" : `; ${count} times, the last marked FINAL`;
  if (growth === 1 || first === most) return `every ${first} h while it fires${times}`;
  const limit = maxHours === undefined ? "" : `, at most ${maxHours} h`;
  return `after ${first} h, then each wait ${growth} times as long${limit}${times}`;
}

/** Settings of reminders that have no effect, or another one than they seem to have. */
export function reminderNotes({ hours, growth, maxHours, count }: RenotifyRule): string[] {
  if (hours <= 0) {
    const idle = [
      ...(growth === 1 ? [] : ["--renotify-growth"]),
      ...(maxHours === undefined ? [] : ["--renotify-max-hours"]),
      ...(count === undefined ? [] : ["--renotify-count"]),
    ];
    if (idle.length === 0) return [];
    const have = idle.length === 1 ? "has" : "have";
    return [`it sends no reminders, so ${idle.join(", ")} ${have} no effect; add --renotify HOURS`];
  }
  if (maxHours === undefined) return [];
  if (maxHours < hours)
    return [
      `its --renotify-max-hours ${maxHours} is below --renotify ${hours}: every wait is ${maxHours} h`,
    ];
  if (growth > 1) return [];
  return [
    `its waits do not grow, so --renotify-max-hours ${maxHours} has no effect; add --renotify-growth`,
  ];
}
