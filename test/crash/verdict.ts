import { attemptOf, type EventRow, type History, type RanTick, runOf } from "./history.ts";
import { type Mention, mentions } from "./mentions.ts";
import { ALARMS, type World } from "./world.ts";

/** What is wrong with the record after a tick that nobody killed; nothing where the promises held. */
export function complaints(history: History, world: World): readonly string[] {
  const named = mentions(history);
  return [
    ...stateComplaints(history, world),
    ...runComplaints(history),
    ...attemptComplaints(history),
    ...mailComplaints(history, named),
    ...repeatComplaints(history, named),
  ];
}

/** One active event for each thing that is wrong, no more and no less, and no two at the same time. */
function stateComplaints(history: History, world: World): readonly string[] {
  const found: string[] = [];
  for (const { name } of ALARMS) {
    const own = history.events.filter(({ alarm }) => alarm === `alarm_${name}`);
    const active = own.filter(({ cleared }) => cleared === null).map(({ key }) => key);
    if (active.sort().join() !== world.wrong(name).join())
      found.push(`${name}: active are [${active}], wrong are [${world.wrong(name)}]`);
    for (const [one, other] of neighbours(own)) {
      if (one.key === other.key && (one.cleared ?? Number.POSITIVE_INFINITY) > other.fired)
        found.push(`${name}: ${one.subject} was still active when ${other.subject} fired`);
    }
  }
  return found;
}

/** Events of the same thing, each with the one that followed it. */
function neighbours(events: readonly EventRow[]): readonly (readonly [EventRow, EventRow])[] {
  const sorted = [...events].sort((a, b) =>
    a.key === b.key ? a.fired - b.fired : a.key < b.key ? -1 : 1,
  );
  return sorted.flatMap((event, index) => {
    const next = sorted[index + 1];
    return next === undefined ? [] : [[event, next] as const];
  });
}

/** Each tick has at most one run, which is finished or was closed as crashed by a later one. */
function runComplaints(history: History): readonly string[] {
  const found: string[] = [];
  const ofTicks = history.ticks.map((tick) => ({ tick, run: runOf(history, tick) }));
  const begin = history.ticks[0]?.begin ?? 0;
  for (const run of history.runs.filter(({ started }) => started >= begin)) {
    if (ofTicks.filter((one) => one.run?.id === run.id).length !== 1)
      found.push(`the run that started at ${run.started} belongs to no tick, or to several`);
  }
  for (const { tick, run } of ofTicks) {
    const what = `tick ${tick.number}, ${tick.killed ? `killed at ${tick.instant}` : "not killed"}`;
    if (!tick.killed && run?.finished === undefined)
      found.push(`${what}: its run is not finished: it was skipped, or lost`);
    if (run === undefined) continue;
    if (run.status !== "done") found.push(`${what}: its run was left ${run.status}`);
    if ((run.finished === undefined) === (run.crashed === undefined))
      found.push(`${what}: its run must be either finished or closed as crashed`);
  }
  return found;
}

/** What SES took is on record, and what the record calls delivered was taken by SES. */
function attemptComplaints(history: History): readonly string[] {
  const found: string[] = [];
  for (const mail of history.mails) {
    const attempt = attemptOf(history, mail);
    const what = `the mail of ${mail.alarm} in tick ${mail.tick}`;
    if (attempt === undefined) found.push(`${what}: SES took it, and no attempt is on record`);
    else if (attempt.text !== mail.text) found.push(`${what}: its record has another text`);
    else if (attempt.outcome === "delivered") {
      if (!attempt.messageIds.includes(mail.messageId))
        found.push(`${what}: its record lacks SES's id`);
    } else if (attempt.outcome !== "unknown" || !wasKilled(history, mail.tick))
      found.push(`${what}: SES took it, and its record says ${attempt.outcome}`);
    const others = history.mails.filter(
      (other) => other !== mail && other.tick === mail.tick && other.alarm === mail.alarm,
    );
    if (others.length > 0) found.push(`${what}: there is another one of the same tick`);
  }
  const taken = new Set(history.mails.map(({ messageId }) => messageId));
  for (const attempt of history.attempts) {
    if (attempt.outcome !== "delivered") continue;
    if (attempt.messageIds.length === 0 || attempt.messageIds.some((id) => !taken.has(id)))
      found.push(`an attempt of ${attempt.alarm} says delivered, and SES never took its mail`);
  }
  return found;
}

/** Every event whose alarm mails was named by a mail, no other was, and nothing is owed any more. */
function mailComplaints(history: History, named: readonly Mention[]): readonly string[] {
  const found: string[] = [];
  const ids = new Set(named.map(({ event }) => event?.id));
  for (const { mail, line, event } of named) {
    if (event === undefined)
      found.push(`${mail.alarm}, tick ${mail.tick}: no event is on record for "${line}"`);
  }
  for (const event of history.events) {
    const what = `${event.alarm}: ${event.subject}${event.cleared === null ? "" : ", cleared"}`;
    const mails = ALARMS.some(({ name, mails }) => mails && `alarm_${name}` === event.alarm);
    if (mails && !ids.has(event.id)) found.push(`${what}: no mail ever named it`);
    if (mails && event.lastNotified === undefined) found.push(`${what}: is not stamped`);
    if (!mails && (ids.has(event.id) || event.lastNotified !== undefined))
      found.push(`${what}: was mailed, and mail is off`);
    if (event.mailOwed) found.push(`${what}: is still owed`);
  }
  return found;
}

/** A kill repeats at most one mail, only one whose fate is on record as unknown, and the repeat says so. */
function repeatComplaints(history: History, named: readonly Mention[]): readonly string[] {
  const found: string[] = [];
  for (const { mention, earlier } of repeats(named)) {
    const what = `${mention.mail.alarm}, tick ${mention.mail.tick}: "${mention.line}" was mailed before`;
    for (const { mail } of earlier) {
      const outcome = attemptOf(history, mail)?.outcome;
      if (outcome !== "unknown") found.push(`${what} in tick ${mail.tick}, ${outcome}`);
    }
    if (!mention.line.includes("may be a duplicate")) found.push(`${what}, and does not say so`);
  }
  for (const tick of history.ticks) {
    const unstamped = unstampedMails(history, tick);
    if (unstamped > 1)
      found.push(
        `tick ${tick.number}, killed at ${tick.instant}: ${unstamped} mails went out unstamped, each of which will be repeated`,
      );
  }
  return found;
}

/** Mails that SES took in this tick, and the engine died before it could write that down. */
function unstampedMails(history: History, tick: RanTick): number {
  return history.mails.filter(
    (mail) => mail.tick === tick.number && attemptOf(history, mail)?.outcome === "unknown",
  ).length;
}

interface Repeat {
  readonly mention: Mention;
  readonly earlier: readonly Mention[];
}

/** Mentions of events that earlier mails had named. */
function repeats(named: readonly Mention[]): readonly Repeat[] {
  const byEvent = new Map<string, Mention[]>();
  const found: Repeat[] = [];
  for (const mention of named) {
    const { event } = mention;
    if (event === undefined) continue;
    const earlier = byEvent.get(event.id) ?? [];
    if (earlier.length > 0) found.push({ mention, earlier: [...earlier] });
    byEvent.set(event.id, [...earlier, mention]);
  }
  return found;
}

/** How many mails name an event that an earlier one had named. */
export function repeatedMails(history: History): number {
  return new Set(repeats(mentions(history)).map(({ mention }) => mention.mail)).size;
}

function wasKilled(history: History, number: number): boolean {
  return history.ticks.some((tick) => tick.number === number && tick.killed);
}
