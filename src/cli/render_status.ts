import { needsAttention, type Status } from "../core/status.ts";
import { duration } from "../text/utc.ts";
import { shortId } from "./notifications.ts";
import { renderTable, renderTime } from "./output.ts";

/** The status as `status --json` prints it. */
export function statusFacts(status: Status) {
  const { last, runningSince, crashed, ahead } = status.ticks;
  const attention = needsAttention(status);
  return {
    healthy: attention.length === 0,
    events_firing: status.alarms.reduce((sum, { active }) => sum + active, 0),
    events_not_mailed: status.alarms.reduce((sum, alarm) => sum + alarm.not_mailed, 0),
    attention,
    last_tick: last && {
      started_at: last.startedAt,
      finished_at: last.finishedAt,
      errors: last.errors,
      error_details: last.errorDetails,
    },
    running_since: runningSince,
    crashed_at: crashed,
    clock_ahead_at: ahead,
    skipped_in_24_h: status.skipped,
    alarms: status.alarms,
    sources: status.unreachable,
    // What is sent on other channels too.
    mails: status.notifications.map(({ attemptedAt, notBefore, ...notification }) => {
      return { attempted_at: attemptedAt, not_before: notBefore, ...notification };
    }),
  };
}

type StatusFacts = ReturnType<typeof statusFacts>;

/** The status as text, what needs attention first. */
export function renderStatus(facts: StatusFacts, now: number): string[] {
  const { events_firing: firing, events_not_mailed: notMailed } = facts;
  const health = facts.healthy ? "engine healthy" : "needs attention";
  const lines = [
    `${health}; ${firing} event(s) firing, ${notMailed} not yet mailed`,
    ...facts.attention.map((line) => `  ${line}`),
    "",
    ...renderTicks(facts, now),
    "",
    ...renderTable(
      ["ALARM", "STATE", "MAIL", "ACTIVE", "NOT MAILED", "REASON"],
      facts.alarms.map(({ alarm, state, mail, active, not_mailed: unsent, reason }) => {
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
    facts.sources.map((item) => [item.source, renderTime(item.unreachable_since), item.cause]),
  );
  const shown = facts.mails.slice(0, 20);
  addTable(
    ["NOTIFICATION OF", "ID", "ALARM", "CHANNEL", "STATE", "RESOLVED", "ERROR"],
    shown.map(({ attempted_at: at, not_before: notBefore = 0, id, alarm, channel, ...item }) => {
      const until = notBefore > now ? ` until ${renderTime(notBefore)}` : "";
      const resolved = item.resolved ? "yes" : "no";
      const error = item.error || item.subject;
      const state = item.state + until;
      return [renderTime(at), shortId(id), alarm, channel, state, resolved, error];
    }),
  );
  const more = facts.mails.length - shown.length;
  if (more > 0) lines.push(`… and ${more} more notifications; --json lists all`);
  return lines;
}

function renderTicks(facts: StatusFacts, now: number): string[] {
  const { last_tick: last, running_since: running, crashed_at: crashed } = facts;
  const at = (time: number): string => `${renderTime(time)}, ${duration(now - time)} ago`;
  const lines = [
    `running now   ${running === undefined ? "no" : `for ${duration(now - running)}`}`,
    `crashed       ${crashed === undefined ? "none" : at(crashed)}`,
    `skipped       ${facts.skipped_in_24_h} in the last 24 h`,
  ];
  if (last === undefined) return ["last tick     none yet", ...lines];
  const { started_at: startedAt, finished_at: finishedAt = startedAt, errors } = last;
  const took = (finishedAt - startedAt).toFixed(1);
  lines.unshift(`last tick     ${at(startedAt)}, took ${took} s, ${errors} error(s)`);
  if (errors > 0)
    lines.push("its errors:", ...last.error_details.split("\n\n").map((line) => `  ${line}`));
  return lines;
}
