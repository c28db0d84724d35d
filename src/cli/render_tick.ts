import type { Mode } from "../core/model.ts";
import type { BundleItem, Notice } from "../core/notice.ts";
import type { TickReport } from "../engine/report.ts";
import type { AlarmResult, RanResult } from "../engine/result.ts";

/** One line for each alarm and one for the tick, for people. */
export function renderTick(report: TickReport, mode: Mode): string[] {
  const lines = report.results.map(renderAlarm);
  const ran = report.results.filter((result) => result.kind === "ran" && result.started).length;
  const mails = `${report.notificationsSent} mail(s) sent`;
  const how = mode === "dry-run" ? "dry run: state written, no mail" : mails;
  lines.push(`tick done: ${ran} alarm(s) run, ${report.errors.length} error(s), ${how}`);
  return lines;
}

/** The same for the log, which says that an alarm is not configured when it is news, not at every tick. */
export function renderTickForLog(report: TickReport, mode: Mode): string[] {
  const results = report.results.filter(({ kind }) => kind === "ran");
  return renderTick({ ...report, results }, mode);
}

function renderAlarm(result: AlarmResult): string {
  const { entryId } = result.row;
  if (result.kind === "not configured")
    return `${entryId}: not configured: ${result.missing.join("; ")}`;
  const { outcome, plan, notice } = result;
  const counts = [
    `${outcome.detections.size} detected`,
    `${notice.fresh.length} new`,
    `${plan.touch.length} still firing`,
    `${plan.clear.length} cleared`,
    ...(plan.keep.length > 0 ? [`${plan.keep.length} kept`] : []),
  ];
  const trouble = [...result.errors, ...result.notes].map((text) => `\n    ${text}`).join("");
  return `${entryId}: ${outcome.status}: ${counts.join(", ")}; ${renderMail(result)}${trouble}`;
}

function renderMail({ notice, sent, recipients }: RanResult): string {
  const count = mentions(notice).length;
  if (sent) return `mailed ${count} to ${recipients.join(", ")}`;
  if (notice.reason === "nothing to mail") return "nothing to mail";
  if (notice.reason === "due") return `mail of ${count} failed`;
  return `${count} not mailed: ${notice.reason}`;
}

function mentions({ fresh, continuing, cleared }: Notice): readonly BundleItem[] {
  return [...fresh, ...continuing, ...cleared];
}

/** Every item of the plan with its reason; nothing of it has been written. */
export function renderPlan(report: TickReport): string[] {
  const lines = ["Plan of the next tick. Nothing was written and nothing was sent."];
  for (const name of report.newModules)
    lines.push("", `alarm_${name}: its row would be made, with mail off (new module)`);
  for (const result of report.results) lines.push("", ...renderAlarmPlan(result));
  for (const error of report.errors) lines.push("", `error: ${error}`);
  return lines;
}

function renderAlarmPlan(result: AlarmResult): string[] {
  const { entryId } = result.row;
  if (result.kind === "not configured")
    return [`${entryId}: not configured: ${result.missing.join("; ")}`];
  const { outcome, plan, subjects, notice } = result;
  const lines = [`${entryId}: outcome ${outcome.status}, ${outcome.detections.size} detected`];
  for (const reason of outcome.reasons) lines.push(`  ${reason}`);
  for (const { dedupeKey, reason } of plan.open)
    lines.push(`  open   ${dedupeKey}: ${reason}: ${subjects.get(dedupeKey) ?? ""}`);
  for (const { event, reason } of plan.touch) lines.push(`  touch  ${event.dedupeKey}: ${reason}`);
  for (const { event, reason } of plan.clear) lines.push(`  clear  ${event.dedupeKey}: ${reason}`);
  for (const { event, reason } of plan.keep)
    lines.push(`  keep   ${event.dedupeKey}: not detected, but ${reason}`);
  for (const mention of mentions(notice))
    lines.push(`  mail   ${mention.dedupeKey}: ${mention.reason}`);
  for (const [reason, count] of Object.entries(notice.omitted)) {
    if (count > 0) lines.push(`  no mail for ${count} event(s): ${reason}`);
  }
  lines.push(`  ${renderBundle(result)}`);
  for (const note of result.notes) lines.push(`  note: ${note}`);
  return lines;
}

function renderBundle({ row, notice, recipients, subject }: RanResult): string {
  if (notice.reason === "nothing to mail") return "no mail: nothing to mail";
  if (!row.enabled) return `no mail: mail is off (it would be "${subject}")`;
  if (recipients.length === 0) return `no mail: nobody to mail (it would be "${subject}")`;
  return `would mail "${subject}" to ${recipients.join(", ")}`;
}

/** The plan as facts, for other programs. */
export function planFacts(report: TickReport) {
  return {
    newcomers: report.newModules,
    errors: report.errors,
    alarms: report.results.map((result) => {
      const { entryId: alarm } = result.row;
      if (result.kind === "not configured") return { alarm, not_configured: result.missing };
      const { outcome, plan, subjects, notice } = result;
      const key = ({
        event,
        reason,
      }: {
        event: { id: string; dedupeKey: string };
        reason: string;
      }) => {
        return { dedupe_key: event.dedupeKey, event_id: event.id, reason };
      };
      return {
        alarm,
        outcome: outcome.status,
        reasons: outcome.reasons,
        open: plan.open.map(({ dedupeKey, reason }) => ({
          dedupe_key: dedupeKey,
          subject: subjects.get(dedupeKey),
          reason,
        })),
        touch: plan.touch.map(key),
        clear: plan.clear.map(key),
        keep: plan.keep.map(key),
        mail: {
          reason: notice.reason,
          subject: result.subject,
          recipients: result.recipients,
          mentions: mentions(notice).map(({ dedupeKey, reason }) => ({
            dedupe_key: dedupeKey,
            reason,
          })),
          omitted: notice.omitted,
        },
        errors: result.errors,
        notes: result.notes,
      };
    }),
  };
}
