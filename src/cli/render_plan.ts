import { EMAIL } from "../core/alarm_channels.ts";
import type { ActiveEvent } from "../core/model.ts";
import { scopeRecords } from "../core/scopes.ts";
import type { ChannelNotice } from "../engine/notify.ts";
import type { TickReport } from "../engine/report.ts";
import { isQuietEngine, type RanResult } from "../engine/result.ts";
import { jsonTime } from "./output.ts";
import { itemsOf } from "./render_tick.ts";

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
          : { alarm: result.row.name, not_configured: result.missing.join("; ") },
      ),
  };
}

function alarmPlanFacts({ row, outcome, plan, subjects, ...result }: RanResult) {
  const facts = ({ event, reason }: { event: ActiveEvent; reason: string }) => {
    return { key: event.dedupeKey, event_id: event.id, reason };
  };
  return {
    alarm: row.name,
    enabled: row.enabled,
    outcome: outcome.status,
    detected: outcome.keys.size,
    reasons: outcome.reasons,
    scopes: scopeRecords(outcome.scopes),
    open: plan.open.map(({ dedupeKey: key, reason, level, firstSeen }) => {
      const subject = subjects.get(key) ?? "";
      return { key, subject, ...level, first_seen: jsonTime(firstSeen), reason };
    }),
    pending: plan.wait.map(({ dedupeKey: key, reason }) => ({ key, reason })),
    touch: plan.touch.map(({ change, ...item }) => {
      const { reason } = change?.ack?.ended ?? {};
      return { ...facts(item), ack_ended: reason };
    }),
    clear: plan.clear.map(facts),
    keep: plan.keep.map(facts),
    subject: result.subject || null,
    channels: result.notices.map(channelPlanFacts),
    errors: result.errors,
    notes: result.notes,
  };
}

function channelPlanFacts({
  channel,
  usable,
  reason,
  recipients,
  omitted,
  ...items
}: ChannelNotice) {
  return {
    channel,
    usable: usable === "usable",
    reason: usable === "unusable" ? "the channel cannot be used" : reason,
    recipients,
    items: itemsOf({ ...items, omitted, reason }).map((item) => {
      const { dedupeKey: key, eventId, reason, reminder } = item;
      return {
        key,
        // What a plan opens has no row yet.
        event_id: reason === "new" ? null : eventId,
        reason,
        reminder: reminder && { number: reminder.number, final: reminder.isFinal },
      };
    }),
    omitted,
  };
}

export function renderPlan({ new_modules, alarms, errors }: ReturnType<typeof planFacts>) {
  const blocks = [
    ["Plan of the next tick. Nothing was written and nothing was sent."],
    ...new_modules.map((name) => [`${name}: new module; its row would be created, with mail off`]),
    ...alarms.map((alarm) =>
      "outcome" in alarm
        ? renderAlarmPlan(alarm)
        : [`${alarm.alarm}: not configured: ${alarm.not_configured}`],
    ),
    ...errors.map((error) => [`error: ${error}`]),
  ];
  return blocks.flatMap((block, index) => (index === 0 ? block : ["", ...block]));
}

function renderAlarmPlan({ alarm, ...plan }: AlarmPlan): string[] {
  const lines = [
    ...plan.reasons,
    ...plan.open.map((item) => `open   ${item.key}: ${renderOpen(item)}: ${item.subject}`),
    ...plan.pending.map((item) => `wait   ${item.key}: ${item.reason}`),
    ...plan.touch.map((item) => `touch  ${item.key}: ${renderTouch(item)}`),
    ...plan.clear.map((item) => `clear  ${item.key}: ${item.reason}`),
    ...plan.keep.map((item) => `keep   ${item.key}: not detected, but ${item.reason}`),
    ...plan.channels.flatMap((facts) => renderChannelPlan(plan, facts)),
    ...plan.notes.map((note) => `note: ${note}`),
  ];
  const heading = `${alarm}: outcome ${plan.outcome}, ${plan.detected} detected`;
  return [heading, ...lines.map((line) => `  ${line}`)];
}

/** Such as `settled (error, stage final, first seen 2026-11-21T10:05:59Z)`. */
function renderOpen({ reason, severity, stage, first_seen: firstSeen }: AlarmPlan["open"][number]) {
  const more = [
    ...(severity ? [severity] : []),
    ...(stage === undefined ? [] : [`stage ${stage}`]),
    ...(reason === "settled" ? [`first seen ${firstSeen}`] : []),
  ];
  return more.length === 0 ? reason : `${reason} (${more.join(", ")})`;
}

function renderTouch({ reason, ack_ended: ended }: AlarmPlan["touch"][number]): string {
  return ended === undefined ? reason : `${reason}; its acknowledgement ends: ${ended}`;
}

function renderReminder({ reminder }: AlarmPlan["channels"][number]["items"][number]): string {
  if (reminder === undefined) return "";
  return ` (reminder ${reminder.number}${reminder.final ? ", FINAL" : ""})`;
}

function renderChannelPlan(
  { enabled, subject }: Pick<AlarmPlan, "enabled" | "subject">,
  { channel, reason, recipients, items, omitted }: AlarmPlan["channels"][number],
): string[] {
  const what = channel === EMAIL ? "mail" : channel;
  const left = Object.entries(omitted).filter(([, count]) => count > 0);
  const lines = [
    ...items.map((item) => `${what.padEnd(6)} ${item.key}: ${item.reason}${renderReminder(item)}`),
    ...left.map(([why, count]) => `no ${what} for ${count} event(s): ${why}`),
  ];
  const would = `(it would be "${subject}")`;
  const verb = what === "mail" ? "mail" : `send on ${what}`;
  if (reason === "nothing to mail") return [...lines, `no ${what}: nothing to mail`];
  if (!enabled) return [...lines, `no ${what}: mail is off ${would}`];
  if (reason === "the channel cannot be used") return [...lines, `no ${what}: ${reason} ${would}`];
  if (recipients.length === 0) return [...lines, `no ${what}: no recipients ${would}`];
  if (reason === "the service asked to wait") return [...lines, `no ${what}: ${reason} ${would}`];
  return [...lines, `would ${verb} "${subject}" to ${recipients.join(", ")}`];
}
