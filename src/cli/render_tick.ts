import { ENGINE } from "../core/event_key.ts";
import type { ActiveEvent, Mode } from "../core/model.ts";
import type { BundleItem, Notice } from "../core/notice.ts";
import type { TickReport } from "../engine/report.ts";
import { type AlarmResult, isQuietEngine, type RanResult } from "../engine/result.ts";

/** One line for each alarm, with its errors and notes below it, and one for the tick. */
export function renderTick({ results, ...report }: TickReport, mode: Mode): string[] {
  const ran = results.filter(
    (result) => result.kind === "ran" && result.started && result.row.name !== ENGINE,
  ).length;
  const mails = `${report.notificationsSent} mail(s) sent`;
  const end = mode === "dry-run" ? "dry run: state written, no mail" : mails;
  const total = `tick done: ${ran} alarm(s) run, ${report.errors.length} error(s), ${end}`;
  return [...results.filter((result) => !isQuietEngine(result)).flatMap(renderAlarm), total];
}

/** The same for the log, where the tick itself reports an alarm that is not configured, once. */
export function renderTickForLog(report: TickReport, mode: Mode): string[] {
  const results = report.results.filter(({ kind }) => kind === "ran");
  return renderTick({ ...report, results }, mode);
}

function renderAlarm(result: AlarmResult): string[] {
  const { name } = result.row;
  if (result.kind !== "ran") return [`${name}: not configured: ${result.missing.join("; ")}`];
  const { outcome, plan, notice } = result;
  const counts = [
    `${outcome.keys.size} detected`,
    `${notice.fresh.length} new`,
    `${plan.touch.length} still firing`,
    `${plan.clear.length} cleared`,
    ...(plan.keep.length > 0 ? [`${plan.keep.length} kept`] : []),
  ];
  const line = `${name}: ${outcome.status}: ${counts.join(", ")}; ${renderMail(result)}`;
  return [line, ...[...result.errors, ...result.notes].map((text) => `    ${text}`)];
}

function renderMail({ notice, sent, recipients }: RanResult): string {
  const count = itemsOf(notice).length;
  if (sent) return `mailed ${count} to ${recipients.join(", ")}`;
  if (notice.reason === "nothing to mail") return notice.reason;
  return notice.reason === "due"
    ? `mail of ${count} failed`
    : `${count} not mailed: ${notice.reason}`;
}

function itemsOf({ fresh, continuing, cleared }: Notice): readonly BundleItem[] {
  return [...fresh, ...continuing, ...cleared];
}

type AlarmPlan = ReturnType<typeof alarmPlanFacts>;

export function planFacts({ newModules, errors, results }: TickReport) {
  return {
    new_modules: newModules,
    errors,
    alarms: results
      .filter((result) => !isQuietEngine(result))
      .map((result) =>
        result.kind === "ran"
          ? alarmPlanFacts(result)
          : { alarm: result.row.name, not_configured: result.missing },
      ),
  };
}

function alarmPlanFacts({ row, outcome, plan, subjects, notice, ...result }: RanResult) {
  const facts = ({ event, reason }: { event: ActiveEvent; reason: string }) => {
    return { dedupe_key: event.dedupeKey, event_id: event.id, reason };
  };
  return {
    alarm: row.name,
    outcome: outcome.status,
    detected: outcome.keys.size,
    reasons: outcome.reasons,
    open: plan.open.map(({ dedupeKey, reason }) => {
      return { dedupe_key: dedupeKey, subject: subjects.get(dedupeKey) ?? "", reason };
    }),
    touch: plan.touch.map(facts),
    clear: plan.clear.map(facts),
    keep: plan.keep.map(facts),
    mail: {
      enabled: row.enabled,
      reason: notice.reason,
      subject: result.subject,
      recipients: result.recipients,
      items: itemsOf(notice).map(({ dedupeKey, reason }) => ({ dedupe_key: dedupeKey, reason })),
      omitted: notice.omitted,
    },
    errors: result.errors,
    notes: result.notes,
  };
}

export function renderPlan({ new_modules, alarms, errors }: ReturnType<typeof planFacts>) {
  const blocks = [
    ["Plan of the next tick. Nothing was written and nothing was sent."],
    ...new_modules.map((name) => [`${name}: new module; its row would be created, with mail off`]),
    ...alarms.map((alarm) =>
      "outcome" in alarm
        ? renderAlarmPlan(alarm)
        : [`${alarm.alarm}: not configured: ${alarm.not_configured.join("; ")}`],
    ),
    ...errors.map((error) => [`error: ${error}`]),
  ];
  return blocks.flatMap((block, index) => (index === 0 ? block : ["", ...block]));
}

function renderAlarmPlan({ alarm, mail, ...plan }: AlarmPlan): string[] {
  const omitted = Object.entries(mail.omitted).filter(([, count]) => count > 0);
  const lines = [
    ...plan.reasons,
    ...plan.open.map((item) => `open   ${item.dedupe_key}: ${item.reason}: ${item.subject}`),
    ...plan.touch.map((item) => `touch  ${item.dedupe_key}: ${item.reason}`),
    ...plan.clear.map((item) => `clear  ${item.dedupe_key}: ${item.reason}`),
    ...plan.keep.map((item) => `keep   ${item.dedupe_key}: not detected, but ${item.reason}`),
    ...mail.items.map((item) => `mail   ${item.dedupe_key}: ${item.reason}`),
    ...omitted.map(([reason, count]) => `no mail for ${count} event(s): ${reason}`),
    renderMailPlan(mail),
    ...plan.notes.map((note) => `note: ${note}`),
  ];
  const heading = `${alarm}: outcome ${plan.outcome}, ${plan.detected} detected`;
  return [heading, ...lines.map((line) => `  ${line}`)];
}

function renderMailPlan({ enabled, reason, subject, recipients }: AlarmPlan["mail"]): string {
  if (reason === "nothing to mail") return "no mail: nothing to mail";
  if (!enabled) return `no mail: mail is off (it would be "${subject}")`;
  if (recipients.length === 0) return `no mail: no recipients (it would be "${subject}")`;
  return `would mail "${subject}" to ${recipients.join(", ")}`;
}
