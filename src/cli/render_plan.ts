import { EMAIL } from "../core/alarm_channels.ts";
import type { ActiveEvent } from "../core/model.ts";
import type { ChannelNotice } from "../engine/notify.ts";
import type { TickReport } from "../engine/report.ts";
import { isQuietEngine, type RanResult } from "../engine/result.ts";
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
    // Mail alone stands above.
    channels: usesOthers(result.notices)
      ? Object.fromEntries(result.notices.map(channelPlanFacts))
      : undefined,
    errors: result.errors,
    notes: result.notes,
  };
}

function usesOthers(notices: RanResult["notices"]): boolean {
  return notices.some(({ channel }) => channel !== EMAIL);
}

function channelPlanFacts({
  channel,
  usable,
  reason,
  recipients,
  omitted,
  ...items
}: ChannelNotice) {
  const facts = {
    usable: usable === "usable",
    reason: usable === "unusable" ? "the channel cannot be used" : reason,
    recipients,
    items: itemsOf({ ...items, omitted, reason }).map((item) => {
      return { dedupe_key: item.dedupeKey, reason: item.reason };
    }),
    omitted,
  };
  return [channel, facts] as const;
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

function renderAlarmPlan({ alarm, mail, channels, ...plan }: AlarmPlan): string[] {
  const lines = [
    ...plan.reasons,
    ...plan.open.map((item) => `open   ${item.dedupe_key}: ${item.reason}: ${item.subject}`),
    ...plan.touch.map((item) => `touch  ${item.dedupe_key}: ${item.reason}`),
    ...plan.clear.map((item) => `clear  ${item.dedupe_key}: ${item.reason}`),
    ...plan.keep.map((item) => `keep   ${item.dedupe_key}: not detected, but ${item.reason}`),
    ...(channels === undefined
      ? renderChannelPlan("mail", mail)
      : Object.entries(channels).flatMap(([channel, facts]) =>
          renderChannelPlan(channel === EMAIL ? "mail" : channel, { ...mail, ...facts }),
        )),
    ...plan.notes.map((note) => `note: ${note}`),
  ];
  const heading = `${alarm}: outcome ${plan.outcome}, ${plan.detected} detected`;
  return [heading, ...lines.map((line) => `  ${line}`)];
}

function renderChannelPlan(
  what: string,
  { enabled, reason, subject, recipients, items, omitted }: AlarmPlan["mail"],
): string[] {
  const left = Object.entries(omitted).filter(([, count]) => count > 0);
  const lines = [
    ...items.map((item) => `${what.padEnd(6)} ${item.dedupe_key}: ${item.reason}`),
    ...left.map(([why, count]) => `no ${what} for ${count} event(s): ${why}`),
  ];
  const would = `(it would be "${subject}")`;
  const verb = what === "mail" ? "mail" : `send on ${what}`;
  if (reason === "nothing to mail") return [...lines, `no ${what}: nothing to mail`];
  if (!enabled) return [...lines, `no ${what}: mail is off ${would}`];
  if (reason === "the channel cannot be used") return [...lines, `no ${what}: ${reason} ${would}`];
  if (recipients.length === 0) return [...lines, `no ${what}: no recipients ${would}`];
  return [...lines, `would ${verb} "${subject}" to ${recipients.join(", ")}`];
}
