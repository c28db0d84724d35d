import { countEvents, needsAttention, type Status } from "../core/status.ts";
import { renderTable, renderTime } from "./output.ts";

/** The status as text, what needs attention first. */
export function renderStatus(status: Status): string[] {
  const attention = needsAttention(status);
  const { firing, notMailed } = countEvents(status);
  const health = attention.length === 0 ? "engine healthy" : "needs attention";
  const lines = [
    `${health}; ${firing} event(s) firing, ${notMailed} not yet mailed`,
    ...attention.map((line) => `  ${line}`),
    "",
    ...renderTicks(status),
    "",
    ...renderTable(
      ["ALARM", "STATE", "MAIL", "ACTIVE", "NOT MAILED", "REASON"],
      status.alarms.map(({ alarm, state, mail, active, unsent, reason }) => {
        return [alarm, state, mail ? "on" : "off", String(active), String(unsent), reason];
      }),
      "no alarms",
    ),
  ];
  if (status.unreachable.length > 0) {
    const rows = status.unreachable.map(({ source, since, cause }) => {
      return [source, renderTime(since), cause];
    });
    lines.push("", ...renderTable(["SOURCE", "UNREACHABLE SINCE", "LAST ERROR"], rows, ""));
  }
  if (status.mails.length > 0) {
    const rows = status.mails.map(({ attemptedAt, alarm, outcome, resolved, error, subject }) => {
      return [renderTime(attemptedAt), alarm, outcome, resolved ? "yes" : "no", error || subject];
    });
    lines.push("", ...renderTable(["MAIL OF", "ALARM", "OUTCOME", "RESOLVED", "ERROR"], rows, ""));
  }
  return lines;
}

function renderTicks({ ticks: { last, runningSince, crashed }, now, skipped }: Status): string[] {
  const at = (time: number): string => `${renderTime(time)}, ${duration(now - time)} ago`;
  const lines = [
    `running now   ${runningSince === undefined ? "no" : `for ${duration(now - runningSince)}`}`,
    `crashed       ${crashed === undefined ? "none" : at(crashed)}`,
    `skipped       ${skipped} in the last 24 h`,
  ];
  if (last === undefined) return ["last tick     none yet", ...lines];
  const { startedAt, finishedAt = startedAt, errors, errorDetails } = last;
  const took = (finishedAt - startedAt).toFixed(1);
  lines.unshift(`last tick     ${at(startedAt)}, took ${took} s, ${errors} error(s)`);
  if (errors > 0)
    lines.push("its errors:", ...errorDetails.split("\n\n").map((line) => `  ${line}`));
  return lines;
}

/** `40 s`, `17 min`, `5 h`, `3 days`. */
function duration(seconds: number): string {
  if (seconds < 120) return `${Math.max(0, Math.round(seconds))} s`;
  if (seconds < 2 * 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 48 * 3600) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} days`;
}

/** The status for other programs. */
export function statusFacts(status: Status) {
  const { last, runningSince, crashed } = status.ticks;
  const { firing, notMailed } = countEvents(status);
  const attention = needsAttention(status);
  return {
    healthy: attention.length === 0,
    events_firing: firing,
    events_not_mailed: notMailed,
    attention,
    last_tick: last && {
      started_at: last.startedAt,
      finished_at: last.finishedAt,
      errors: last.errors,
      error_details: last.errorDetails,
    },
    running_since: runningSince,
    crashed_at: crashed,
    skipped_in_24_h: status.skipped,
    alarms: status.alarms.map(({ unsent, ...alarm }) => ({ ...alarm, not_mailed: unsent })),
    sources: status.unreachable.map(({ source, since, cause }) => {
      return { source, unreachable_since: since, cause };
    }),
    mails: status.mails.map(({ attemptedAt, ...mail }) => ({ attempted_at: attemptedAt, ...mail })),
  };
}
