import type { Status } from "../core/status.ts";
import { duration } from "../text/utc.ts";
import { shortId } from "./notifications.ts";
import { jsonTime, renderTable, renderTime } from "./output.ts";
import { errorFacts } from "./run_facts.ts";

/** The status as `status --json` prints it. */
export function statusFacts(status: Status, attention: readonly string[]) {
  const { last, runningSince, crashed, ahead } = status.ticks;
  return {
    healthy: attention.length === 0,
    ...countEvents(status),
    attention,
    last_run: last && {
      started_at: jsonTime(last.startedAt),
      finished_at: jsonTime(last.finishedAt),
      ...errorFacts(last),
    },
    running_since: jsonTime(runningSince),
    crashed_run_started_at: jsonTime(crashed),
    clock_ahead_at: jsonTime(ahead),
    skipped_in_24_h: status.skipped,
    alarms: status.alarms.map(({ alarm, state, reason, mail, channels, active, not_mailed }) => ({
      alarm,
      state,
      reasons: reason === "" ? [] : [reason],
      enabled: mail,
      channels,
      events_firing: active,
      events_not_notified: not_mailed,
    })),
    sources: status.unreachable.map(({ source, unreachable_since: since, cause }) => {
      return { source, unreachable_since: jsonTime(since), cause };
    }),
    notifications: status.notifications.map((item) => ({
      id: item.id,
      alarm: item.alarm,
      channel: item.channel,
      state: item.state,
      subject: item.subject,
      attempted_at: jsonTime(item.attemptedAt),
      not_before: jsonTime(item.notBefore),
      error: item.error || null,
      resolved: item.resolved,
    })),
  };
}

function countEvents({ alarms }: Status) {
  return {
    events_firing: alarms.reduce((sum, { active }) => sum + active, 0),
    events_not_notified: alarms.reduce((sum, alarm) => sum + alarm.not_mailed, 0),
  };
}

/** The status as text, what needs attention first. */
export function renderStatus(status: Status, attention: readonly string[]): string[] {
  const { now, alarms, unreachable, notifications } = status;
  const { events_firing: firing, events_not_notified: notMailed } = countEvents(status);
  const health = attention.length === 0 ? "engine healthy" : "needs attention";
  const lines = [
    `${health}; ${firing} event(s) firing, ${notMailed} not yet mailed`,
    ...attention.map((line) => `  ${line}`),
    "",
    ...renderTicks(status),
    "",
    ...renderTable(
      ["ALARM", "STATE", "MAIL", "ACTIVE", "NOT MAILED", "REASON"],
      alarms.map(({ alarm, state, mail, active, not_mailed: unsent, reason }) => {
        return [alarm, state, mail ? "on" : "off", String(active), String(unsent), reason];
      }),
      "no alarms",
    ),
  ];
  const addTable = (headings: readonly string[], rows: readonly (readonly string[])[]): void => {
    if (rows.length > 0) lines.push("", ...renderTable(headings, rows, ""));
  };
  addTable(
    ["SOURCE", "UNREACHABLE SINCE", "LAST ERROR"],
    unreachable.map((item) => [item.source, renderTime(item.unreachable_since), item.cause]),
  );
  const shown = notifications.slice(0, 20);
  addTable(
    ["NOTIFICATION OF", "ID", "ALARM", "CHANNEL", "STATE", "RESOLVED", "ERROR"],
    shown.map(({ attemptedAt: at, notBefore = 0, id, alarm, channel, ...item }) => {
      const until = notBefore > now ? ` until ${renderTime(notBefore)}` : "";
      const resolved = item.resolved ? "yes" : "no";
      const error = item.error || item.subject;
      const state = item.state + until;
      return [renderTime(at), shortId(id), alarm, channel, state, resolved, error];
    }),
  );
  const more = notifications.length - shown.length;
  if (more > 0) lines.push(`… and ${more} more notifications; --json lists all`);
  return lines;
}

function renderTicks({ ticks, skipped, now }: Status): string[] {
  const { last, runningSince: running, crashed } = ticks;
  const at = (time: number): string => `${renderTime(time)}, ${duration(now - time)} ago`;
  const lines = [
    `running now   ${running === undefined ? "no" : `for ${duration(now - running)}`}`,
    `crashed       ${crashed === undefined ? "none" : at(crashed)}`,
    `skipped       ${skipped} in the last 24 h`,
  ];
  if (last === undefined) return ["last tick     none yet", ...lines];
  const { startedAt, finishedAt = startedAt, errors } = last;
  const took = (finishedAt - startedAt).toFixed(1);
  lines.unshift(`last tick     ${at(startedAt)}, took ${took} s, ${errors} error(s)`);
  if (errors > 0) lines.push("its errors:", ...errorFacts(last).errors.map((line) => `  ${line}`));
  return lines;
}
