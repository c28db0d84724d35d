import { perAlarm, runData } from "../support/contract.ts";
import type { SentMail } from "../support/mail_service.ts";
import type { Entry } from "../support/rows.ts";
import type { Site } from "../support/site.ts";

/** Keys of an event that hold wording, an id of this run, or what a line of `describeEvent` says. */
const LEFT_OUT = new Set(
  "subject clear_reason clear_held_at alarm_config_id entry_id dedupe_key fire_time clear_time last_seen last_notified swf".split(
    " ",
  ),
);

/**
 * What a tick left in the database and in the mailboxes, one fact per line; times as tick numbers.
 * `alarms`: those whose part of the run is described.
 */
export async function describeTick(
  site: Site,
  code: number | null,
  alarms: readonly string[],
): Promise<readonly string[]> {
  const runs = await site.entries("engine_run");
  const events = await site.entries("event");
  const run = runs.at(-1);
  if (run === undefined) throw new Error("the tick left no engine_run row");
  const { alarms_run: ran, alarms_seen: seen, notifications_sent: sent, errors } = runData(run);
  const tickOf = numberTicks(runs);
  return [
    `exit code ${code}`,
    `run: ${ran} alarms run, ${seen} detections, ${sent} notifications sent, ${errors} errors`,
    ...alarms.map((name) => `  ${name}: ${describeAlarm(run, `alarm_${name}`)}`),
    `mails: ${site.mail.mails.length}`,
    ...site.mail.mails.map(describeMail).sort().map(indent),
    `events: ${events.length}`,
    ...events
      .map((event) => describeEvent(event, tickOf))
      .sort()
      .map(indent),
  ];
}

/** The facts of each event beyond those of `describeTick`, an event per line. */
export async function describeData(site: Site): Promise<string> {
  const tickOf = numberTicks(await site.entries("engine_run"));
  const events = (await site.entries("event")).map((event) => {
    const facts = Object.entries(event.data)
      .filter(([key]) => !LEFT_OUT.has(key))
      .sort(([a], [b]) => (a < b ? -1 : 1));
    const fired = tickOf(event.data.fire_time);
    return `${nameOf(event)} fired ${fired}: ${JSON.stringify(Object.fromEntries(facts))}\n`;
  });
  return events.sort().join("");
}

function describeAlarm(run: Entry, name: string): string {
  const alarm = perAlarm(run, name);
  return [
    alarm.enabled ? "enabled" : "not enabled",
    `${alarm.alarms_seen} detections`,
    `${alarm.bundle_new} new`,
    `${alarm.bundle_renotify} again`,
    alarm.bundle_sent ? `sent to ${alarm.recipients.join(" ")}` : "not sent",
    `${alarm.errors} errors`,
  ].join(", ");
}

function describeMail({ from, to, subject }: SentMail): string {
  const counts = /^\[(\w+)\] (\d+) detection\(s\), (\d+) new, (\d+) continuing/.exec(subject);
  if (counts === null) throw new Error(`the subject is not as the contract has it: ${subject}`);
  const [, alarm, all, fresh, continuing] = counts;
  return `${alarm}: ${all} detections, ${fresh} new, ${continuing} continuing; from ${from} to ${to.join(" ")}`;
}

function describeEvent(event: Entry, tickOf: (time: unknown) => string): string {
  const { fire_time, clear_time, clear_held_at, last_seen, last_notified } = event.data;
  const held = clear_held_at === undefined ? "" : `, clear held ${tickOf(clear_held_at)}`;
  const ended = clear_time === null ? "active" : `cleared ${tickOf(clear_time)}`;
  const notified = last_notified === undefined ? "never" : tickOf(last_notified);
  return `${nameOf(event)}: fired ${tickOf(fire_time)}, seen ${tickOf(last_seen)}, ${ended}${held}, notified ${notified}`;
}

function nameOf({ data }: Entry): string {
  return `${data.entry_id} ${data.dedupe_key}`;
}

/** The number of the tick in which a time lies. */
function numberTicks(runs: readonly Entry[]): (time: unknown) => string {
  const spans = runs.map((run) => runData(run));
  return (time) => {
    const index = spans.findIndex(
      ({ started_at: from, finished_at: to }) =>
        typeof time === "number" && from <= time && time <= to,
    );
    return index === -1 ? `outside all ticks: ${time}` : String(index + 1);
  };
}

function indent(line: string): string {
  return `  ${line}`;
}

/** Makes everything in the database `seconds` older, as if so much time had passed since. */
export async function passTime(site: Site, seconds: number): Promise<void> {
  await site.withDatabase(async (db) => {
    const rows = await db.query("SELECT id, data::text AS data FROM entry");
    for (const { id, data } of rows) {
      if (typeof data !== "string") continue;
      const older: unknown = JSON.parse(data, (_, value: unknown) =>
        typeof value === "number" && value > 1.7e9 && value < 2.1e9 ? value - seconds : value,
      );
      await db.query("UPDATE entry SET data = $2::text::jsonb WHERE id = $1", [
        String(id),
        JSON.stringify(older),
      ]);
    }
    await db.query(
      "UPDATE entry SET timestamp_created = timestamp_created - $1, timestamp_modified = timestamp_modified - $1",
      [seconds],
    );
  });
}
