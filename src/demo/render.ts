import type { Mail } from "../channel/channel.ts";
import { renderTime } from "../cli/output.ts";
import type { TickReport } from "../engine/report.ts";
import type { AlarmResult, RanResult } from "../engine/result.ts";
import type { DemoFolder } from "./demo_folder.ts";
import { SET_UP, type StoryTick } from "./story.ts";

const WIDTH = 100;
const INDENT = "  ";
/** Wide enough for the longest label. */
const LABEL = 13;

/** A mail as it was delivered, and the file that holds it. */
export interface DeliveredMail {
  readonly mail: Mail;
  readonly path: string;
}

/** The heading of a tick, and what goes on around it. */
export function renderScene(story: StoryTick, number: number, of: number, now: number): string[] {
  const time = `${renderTime(now).slice(0, 16)} UTC`;
  const heading = `== Tick ${number} of ${of}: ${story.title} (${time}) `;
  return ["", heading.padEnd(WIDTH, "="), "", ...wrap(story.scene, ""), ""];
}

/** What the tick did, alarm by alarm, and why. */
export function renderDone(report: TickReport, mails: readonly DeliveredMail[]): string[] {
  return report.results.flatMap((result) => renderAlarm(result, report, mails));
}

function renderAlarm(
  result: AlarmResult,
  report: TickReport,
  mails: readonly DeliveredMail[],
): string[] {
  const { entryId, name } = result.row;
  const isNew = report.newModules.includes(name);
  const heading = isNew ? `${entryId} (new row, mail off)` : entryId;
  if (result.kind === "not configured") {
    if (!isNew) return [];
    return [
      `${INDENT}${heading}`,
      ...labelled("not run", `not configured: ${result.missing.join("; ")}`),
    ];
  }
  const { plan } = result;
  const { detections } = result.outcome;
  const lines = [`${INDENT}${heading}`];
  const entity = (dedupeKey: string): string =>
    `${dedupeKey}  ${detections.get(dedupeKey)?.subject ?? ""}`;
  for (const { dedupeKey } of plan.open) lines.push(...labelled("fired", entity(dedupeKey)));
  for (const { event } of plan.touch)
    lines.push(...labelled("still firing", entity(event.dedupeKey)));
  for (const { event, reason } of plan.clear)
    lines.push(...labelled("cleared", `${event.dedupeKey}  ${reason}`));
  for (const { event, reason } of plan.keep)
    lines.push(...labelled("kept", `${event.dedupeKey}  not seen, but the ${reason}: not cleared`));
  if (result.outcome.detections.size === 0 && plan.clear.length + plan.keep.length === 0)
    lines.push(...labelled("quiet", "nothing to report"));
  for (const error of result.errors) lines.push(...labelled("error", error));
  lines.push(...renderMailing(result, mails));
  for (const note of result.notes) lines.push(...labelled("note", note));
  return lines;
}

function renderMailing(result: RanResult, mails: readonly DeliveredMail[]): string[] {
  const { row, notice } = result;
  const lines: string[] = [];
  if (result.sent) {
    const why = [...notice.fresh, ...notice.continuing]
      .map((mention) => `${mention.dedupeKey} (${mention.reason})`)
      .join(", ");
    lines.push(...labelled("mailed", `to ${result.recipients.join(", ")}: ${why}`));
    for (const { mail, path } of mails) {
      if (mail.alarm === row.entryId) lines.push(`${INDENT.repeat(3)}${path}`);
    }
  } else if (notice.reason !== "nothing to mail") {
    lines.push(...labelled("not mailed", notice.reason));
  }
  for (const [reason, count] of Object.entries(notice.omitted)) {
    if (count > 0) lines.push(...labelled("not mailed", `${count} still active: ${reason}`));
  }
  return lines;
}

/** The mail as its reader sees it. */
export function renderMail({ mail }: DeliveredMail): string[] {
  const text = [
    `Date: ${renderTime(mail.time)} UTC`,
    `To: ${mail.recipients.join(", ")}`,
    `Subject: ${mail.subject}`,
    "",
    ...mail.text.trimEnd().split("\n"),
  ];
  const lines = text.flatMap((line) => wrap(line, `${INDENT}| `)).map((line) => line.trimEnd());
  return ["", `${INDENT}This is that mail; the later ones lie beside it:`, "", ...lines];
}

/** What the reader may conclude. */
export function renderMoral(story: StoryTick): string[] {
  return ["", ...wrap(`-> ${story.moral}`, "", "   ")];
}

function labelled(label: string, text: string): string[] {
  const first = `${INDENT}${INDENT}${label.padEnd(LABEL)}`;
  return wrap(text, first, " ".repeat(first.length));
}

/** Breaks a line between words; what the line begins with stays, a word that is too long sticks out. */
export function wrap(text: string, first: string, rest: string = first): string[] {
  const own = /^\s*/u.exec(text)?.[0] ?? "";
  const lines: string[] = [];
  let line = first + own;
  let isEmpty = true;
  for (const word of text.trim().split(/ (?! )/u)) {
    if (!isEmpty && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = rest + own;
      isEmpty = true;
    }
    line += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }
  return [...lines, line];
}

/** What the demo is, before anything happens. */
export function renderWelcome(folder: DemoFolder, baseUrl: string, ticks: number): string[] {
  const text =
    `This runs ${ticks} ticks of the alarm engine, as cron would start them every five minutes. The ` +
    `engine is the real one, with a real Postgres inside it and mail that goes to files, all in ` +
    `${folder.path}. PanDA is played by a sample proxy at ${baseUrl} with made-up tasks, and the ` +
    "clock starts a day back, so that a day passes in seconds.";
  return ["swf-alarms demo", "", ...wrap(text, ""), "", "Making the database takes a moment ..."];
}

/** The set-up that the demo does by itself, as commands. */
export function renderSetUp(folder: DemoFolder): string[] {
  const { alarm, threshold, team, members, renotifyHours } = SET_UP;
  return [
    "",
    "Now an operator sets one of them up. The demo has done just that; these commands do the same:",
    "",
    `  npx --no -- swf-alarms team set ${team} ${members.join(" ")} \\`,
    `      ${configOption(folder)}`,
    `  npx --no -- swf-alarms alarm set ${alarm} --param threshold=${threshold} \\`,
    `      --recipients ${team} --mail on --renotify ${renotifyHours} ${configOption(folder)}`,
  ];
}

/** What to do next. */
export function renderFarewell(folder: DemoFolder): string[] {
  const config = configOption(folder);
  return [
    "",
    "".padEnd(WIDTH, "="),
    "",
    `The demo has ended and nothing is left running. ${folder.path} stays until you delete it;`,
    "another demo makes it anew.",
    "",
    "Look at what it left (the sample proxy is gone, so a tick would find nobody to ask):",
    `  npx --no -- swf-alarms event list --all ${config}`,
    `  npx --no -- swf-alarms run list ${config}`,
    `  npx --no -- swf-alarms alarm show ${SET_UP.alarm} ${config}`,
    `  ls ${quoted(folder.outbox)}`,
    "",
    "Set it up for your site:",
    "  deploy/install.sh                 installs it, makes config.toml, prints the line for crontab",
    "  (edit config.toml)                which service to ask, where the rows live, how mail goes out",
    "  bin/swf-alarms run --plan         what a tick would do; it writes and sends nothing",
    "  bin/swf-alarms run                one tick; a new alarm starts with mail off",
    "  bin/swf-alarms alarm list         what is there, and what it lacks; `alarm set` adds that",
    "  crontab -e                        with that line; deploy/crontab.example explains it",
    "",
    "Add an alarm: one file in alarms/ is one alarm. README.md shows how to write one; then",
    "  bin/swf-alarms alarm try <name>   runs it once and shows what it finds; it writes nothing",
  ];
}

function configOption(folder: DemoFolder): string {
  return `--config ${quoted(folder.config)}`;
}

/** A path as a shell takes it. */
function quoted(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
