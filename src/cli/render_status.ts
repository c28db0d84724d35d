import { needsAttention, type Status, type TickStatus } from "../core/status.ts";
import { renderTable, renderTime } from "./output.ts";

/** The status for people: what needs attention first. */
export function renderStatus(status: Status): string[] {
  const attention = needsAttention(status);
  const lines =
    attention.length === 0
      ? ["all is well"]
      : ["needs attention:", ...attention.map((line) => `  ${line}`)];
  lines.push("", ...renderTicks(status), "", ...renderAlarms(status));
  if (status.sources.length > 0) {
    const rows = status.sources.map(({ source, state: memory }) => [
      source,
      renderTime(memory.since),
      memory.kind === "unreachable" ? memory.cause : "",
    ]);
    lines.push("", ...renderTable(["SOURCE", "UNREACHABLE SINCE", "LAST REASON"], rows, ""));
  }
  if (status.mails.length > 0) {
    const rows = status.mails.map((mail) => [
      renderTime(mail.attemptedAt),
      mail.alarm,
      mail.outcome,
      mail.resolved ? "yes" : "no",
      mail.error || mail.subject,
    ]);
    const headings = ["MAIL OF", "ALARM", "OUTCOME", "MADE UP FOR", "WHY"];
    lines.push("", ...renderTable(headings, rows, ""));
  }
  return lines;
}

function renderTicks({ ticks, now, skipped }: Status): string[] {
  const { last, runningSince: atWorkSince, crashed } = ticks;
  return [
    `last tick     ${last === undefined ? "none yet" : renderLast(last, now)}`,
    `at work now   ${atWorkSince === undefined ? "no" : `since ${ago(now - atWorkSince)}`}`,
    `crashed       ${crashed === undefined ? "none" : `${renderTime(crashed)}, ${ago(now - crashed)} ago`}`,
    `skipped       ${skipped} in the last 24 h`,
    ...errorLines(last),
  ];
}

function renderLast(last: NonNullable<TickStatus["last"]>, now: number): string {
  const took = last.finishedAt === undefined ? "" : `, took ${seconds(last)} s`;
  return `${renderTime(last.startedAt)}, ${ago(now - last.startedAt)} ago${took}, ${last.errors} error(s)`;
}

function seconds({ startedAt, finishedAt = startedAt }: NonNullable<TickStatus["last"]>): string {
  return (finishedAt - startedAt).toFixed(1);
}

function errorLines(last: TickStatus["last"]): readonly string[] {
  if (last === undefined || last.errors === 0) return [];
  const errors = last.errorDetails.split("\n\n").map((line) => `  ${line}`);
  return ["its errors:", ...errors];
}

function renderAlarms({ alarms }: Status): string[] {
  const rows = alarms.map(({ alarm, state, mail, active, unsent: owed, reason }) => [
    alarm,
    state,
    mail ? "on" : "off",
    String(active),
    String(owed),
    reason,
  ]);
  const headings = ["ALARM", "STATE", "MAIL", "ACTIVE", "NOT MAILED", "WHY"];
  return renderTable(headings, rows, "no alarms");
}

/** `40 s`, `17 min`, `5 h`, `3 days`. */
function ago(seconds: number): string {
  if (seconds < 120) return `${Math.max(0, Math.round(seconds))} s`;
  if (seconds < 2 * 3600) return `${Math.floor(seconds / 60)} min`;
  return seconds < 48 * 3600
    ? `${Math.floor(seconds / 3600)} h`
    : `${Math.floor(seconds / 86_400)} days`;
}

/** The status as facts, for other programs. */
export function statusFacts(status: Status) {
  const { ticks } = status;
  const { last } = ticks;
  return {
    attention: needsAttention(status),
    last_tick:
      last === undefined
        ? null
        : {
            started_at: last.startedAt,
            finished_at: last.finishedAt ?? null,
            errors: last.errors,
            error_details: last.errorDetails,
          },
    at_work_since: ticks.runningSince ?? null,
    crashed_at: ticks.crashed ?? null,
    skipped_in_24_h: status.skipped,
    alarms: status.alarms.map(({ unsent: owed, ...alarm }) => ({ ...alarm, not_mailed: owed })),
    sources: status.sources.map(({ source, state: memory }) => ({
      source,
      unreachable_since: memory.since,
      cause: memory.kind === "unreachable" ? memory.cause : null,
    })),
    mails: status.mails.map(({ attemptedAt, ...mail }) => ({ attempted_at: attemptedAt, ...mail })),
  };
}
