import { EMAIL } from "../core/alarm_channels.ts";
import { ENGINE } from "../core/event_key.ts";
import type { Mode } from "../core/model.ts";
import type { BundleItem, Notice } from "../core/notice.ts";
import type { ChannelNotice } from "../engine/notify.ts";
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
  const changed = plan.touch.filter(({ change }) => change?.level !== undefined).length;
  const counts = [
    `${outcome.keys.size} detected`,
    ...(plan.wait.length > 0 ? [`${plan.wait.length} pending`] : []),
    `${notice.fresh.length} new`,
    `${plan.touch.length} still firing${changed > 0 ? ` (${changed} changed)` : ""}`,
    `${plan.clear.length} cleared`,
    ...(plan.keep.length > 0 ? [`${plan.keep.length} kept`] : []),
  ];
  const line = `${name}: ${outcome.status}: ${counts.join(", ")}; ${renderNotices(result)}`;
  return [line, ...[...result.errors, ...result.notes].map((text) => `    ${text}`)];
}

/** What became of its notifications, for each channel if it does not only mail. */
function renderNotices({ notices }: RanResult): string {
  const texts = notices.map((notice) => renderNotice(notice));
  return [...new Set(texts.length === 0 ? ["nothing to mail"] : texts)].join("; ");
}

function renderNotice({ channel, sent, recipients, ...notice }: ChannelNotice): string {
  const count = itemsOf(notice).length;
  const isMail = channel === EMAIL;
  // A delivery to the last recipients of an earlier notification names no event anew.
  const what = count === 0 ? "what an earlier tick could not" : count;
  if (sent > 0)
    return `${isMail ? "mailed" : `sent on ${channel}`} ${what} to ${recipients.join(", ")}`;
  if (notice.reason === "nothing to mail") return notice.reason;
  if (notice.reason === "due")
    return `${isMail ? "mail" : `notification on ${channel}`} of ${count} failed`;
  return `${count} not ${isMail ? "mailed" : `sent on ${channel}`}: ${notice.reason}`;
}

/** What a notice names. */
export function itemsOf({ fresh, continuing, cleared }: Notice): readonly BundleItem[] {
  return [...fresh, ...continuing, ...cleared];
}
