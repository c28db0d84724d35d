import type { Outgoing } from "../channel/channel.ts";
import { shellWord } from "../core/rights.ts";
import type { TickReport } from "../engine/report.ts";
import { isQuietEngine, type RanResult } from "../engine/result.ts";
import { utcMinute, utcSecond } from "../text/utc.ts";
import type { DemoFolder } from "./demo_folder.ts";
import { SETUP, STORY, type StoryTick } from "./story.ts";

const WIDTH = 100;

export interface DeliveredMail {
  readonly mail: Outgoing;
  /** The file of the mail. */
  readonly path: string;
}

export function renderWelcome(folder: DemoFolder, baseUrl: string): string[] {
  return [
    "swf-alarms demo",
    "",
    `Runs ${STORY.length} ticks of the alarm engine. Cron would start one every five minutes; here the clock starts`,
    "a day ago, and a day passes in seconds. The engine is the real one, with a real Postgres inside it,",
    "and its mail goes to files. A sample proxy with made-up tasks stands in for PanDA.",
    "",
    `  folder  ${folder.path}`,
    `  proxy   ${baseUrl}`,
    "",
    "Creating the database ...",
  ];
}

export function renderHeading(story: StoryTick, number: number, now: number): string[] {
  const time = utcMinute(now);
  const heading = `== Tick ${number} of ${STORY.length}: ${story.title} (${time}) `;
  return ["", heading.padEnd(WIDTH, "="), "", story.situation, ""];
}

/** What the tick did to each alarm, and why. */
export function renderReport(report: TickReport, mails: readonly DeliveredMail[]): string[] {
  const { results, newModules } = report;
  const notRun = new Map<string, string[]>();
  for (const result of results) {
    if (result.kind !== "not configured" || !newModules.includes(result.row.name)) continue;
    const reason = result.missing.join("; ");
    notRun.set(reason, [...(notRun.get(reason) ?? []), result.row.name]);
  }
  return [
    ...[...notRun].flatMap(([reason, names]) => [
      ...names.map((name) => `  ${name} (new row, mail off)`),
      labelled("not run", `not configured: ${reason}`),
    ]),
    ...results.flatMap((result) => {
      if (result.kind === "not configured" || isQuietEngine(result)) return [];
      const isNew = newModules.includes(result.row.name);
      const heading = `  ${result.row.name}${isNew ? " (new row, mail off)" : ""}`;
      return [heading, ...renderResult(result, mails)];
    }),
  ];
}

function renderResult(result: RanResult, mails: readonly DeliveredMail[]): string[] {
  const { open, touch, clear, keep } = result.plan;
  const { detections } = result.outcome;
  const entity = (key: string): string => `${key}  ${detections.get(key)?.subject ?? ""}`.trimEnd();
  return [
    ...open.map(({ dedupeKey }) => labelled("fired", entity(dedupeKey))),
    ...touch.map(({ event }) => labelled("still firing", entity(event.dedupeKey))),
    ...clear.map(({ event, reason }) => labelled("cleared", `${event.dedupeKey}  ${reason}`)),
    ...keep.map(({ event, reason }) =>
      labelled("kept", `${event.dedupeKey}  not seen, but not cleared: ${reason}`),
    ),
    ...result.errors.map((error) => labelled("error", error)),
    ...renderNotice(result, mails),
    ...result.notes.map((note) => labelled("note", note)),
  ];
}

function renderNotice(result: RanResult, mails: readonly DeliveredMail[]): string[] {
  const { row, notice, recipients } = result;
  const lines: string[] = [];
  if (result.sent > 0) {
    const items = [...notice.fresh, ...notice.continuing];
    const reasons = items.map(({ dedupeKey, reason }) => `${dedupeKey} (${reason})`);
    lines.push(labelled("mailed", `to ${recipients.join(", ")}: ${reasons.join(", ")}`));
    for (const { mail, path } of mails) if (mail.alarm === row.entryId) lines.push(`      ${path}`);
  } else if (notice.reason !== "nothing to mail") {
    lines.push(labelled("not mailed", notice.reason));
  }
  for (const [reason, count] of Object.entries(notice.omitted))
    if (count > 0) lines.push(labelled("not mailed", `${count} still active: ${reason}`));
  return lines;
}

function labelled(label: string, text: string): string {
  return `    ${label.padEnd(13)}${text}`;
}

export function renderMail({ mail }: DeliveredMail): string[] {
  const lines = [
    `Date: ${utcSecond(mail.time)}`,
    `To: ${mail.recipients.join(", ")}`,
    `Subject: ${mail.subject}`,
    "",
    ...mail.text.trimEnd().split("\n"),
  ];
  return ["", "  The mail:", "", ...lines.map((line) => `  | ${line}`.trimEnd())];
}

export function renderExplanation(story: StoryTick): string[] {
  return ["", ...`-> ${story.explanation.replaceAll("\n", "\n   ")}`.split("\n")];
}

/** What the demo sets up after the first tick, as commands. */
export function renderSetup(folder: DemoFolder): string[] {
  const { alarm, threshold, team, members, renotifyHours } = SETUP;
  return [
    "",
    "Next, an operator configures one alarm. The demo has just done the same as these commands:",
    "",
    `  npx --no -- swf-alarms team set ${team} ${members.join(" ")} \\`,
    `      ${configOption(folder)}`,
    `  npx --no -- swf-alarms alarm set ${alarm} --param threshold=${threshold} \\`,
    `      --recipients ${team} --mail on --renotify ${renotifyHours} ${configOption(folder)}`,
  ];
}

export function renderNextSteps(folder: DemoFolder): string[] {
  const config = configOption(folder);
  return [
    "",
    "".padEnd(WIDTH, "="),
    "",
    `The demo has ended and left nothing running. You can delete ${folder.path}; the next demo`,
    "overwrites it.",
    "",
    "Look at the results (a new tick would fail, because the sample proxy has stopped):",
    `  npx --no -- swf-alarms event list --all ${config}`,
    `  npx --no -- swf-alarms run list ${config}`,
    `  npx --no -- swf-alarms alarm show ${SETUP.alarm} ${config}`,
    `  ls ${shellWord(folder.outbox)}`,
    "",
    "Set it up for your site:",
    "  deploy/install.sh                 install it, create config.toml, print the crontab line",
    "  (edit config.toml)                set the service, the database and the mail provider",
    "  bin/swf-alarms run --plan         show what a tick would do; writes and sends nothing",
    "  bin/swf-alarms run                run one tick; new alarms start with mail off",
    "  bin/swf-alarms alarm list         list the alarms and what each lacks; set it with `alarm set`",
    "  crontab -e                        add the line; deploy/crontab.example explains it",
    "",
    "Add an alarm: one file in alarms/ is one alarm. README.md shows how to write one. Then:",
    "  bin/swf-alarms alarm try NAME     run it once and show what it detects; writes nothing",
  ];
}

function configOption(folder: DemoFolder): string {
  return `--config ${shellWord(folder.config)}`;
}
