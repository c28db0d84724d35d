import { type History, mayBeUnstamped, rowOf, wasUnstamped } from "./history.ts";
import { type Mention, mentions, repeatedMessages, repeats } from "./mentions.ts";
import { CHANNELS, type Received } from "./received.ts";
import { notifiesClears, type World } from "./world.ts";

/** What is wrong with the deliveries, on each channel. */
export function deliveryComplaints(history: History, world: World): readonly string[] {
  const named = mentions(history);
  return [
    ...history.messages.flatMap((message) => messageComplaints(history, message)),
    ...rowComplaints(history),
    ...eventComplaints(history, world, named),
    ...repeatComplaints(history, named),
  ];
}

function nameOf({ channel, alarm, tick }: Received): string {
  return `the message of ${alarm} on ${channel} in tick ${tick}`;
}

/** What a receiver took is on record, and an attempt at the same notification says the same. */
function messageComplaints(history: History, message: Received): readonly string[] {
  const found: string[] = [];
  const what = nameOf(message);
  const row = rowOf(history, message);
  if (row === undefined) return [`${what}: it was received, and is not on record`];
  if (row.channel !== message.channel || row.alarm !== message.alarm)
    found.push(`${what}: its record is one of ${row.alarm} on ${row.channel}`);
  const text = message.text.replace(/^This notification may be a duplicate.*\n\n/, "");
  // A repeat says so, and does not claim to be the first notification.
  const isRepeat = text !== message.text;
  const recorded = isRepeat ? row.text.replaceAll(", first notification)", ")") : row.text;
  if (message.channel === "email" && text !== recorded)
    found.push(`${what}: its record has another text`);
  const saying = ({ named }: Received): string =>
    named.map(({ heading, subject }) => `${heading} ${subject}`).join();
  for (const other of history.messages.filter(({ id }) => id === message.id)) {
    if (saying(other) !== saying(message))
      found.push(`${what}: the one with its id in tick ${other.tick} says something else`);
    if (other !== message && other.tick === message.tick)
      found.push(`${what}: another one in this tick has its id`);
  }
  return found;
}

/** What the record calls delivered was received, and all else was replaced by something that was. */
function rowComplaints({ notifications, messages }: History): readonly string[] {
  const found: string[] = [];
  const taken = new Set(messages.map(({ messageId }) => messageId));
  const byId = new Map(notifications.map((row) => [row.id, row]));
  const bundles = new Map<string, string>();
  for (const row of notifications) {
    const { id, alarm, channel, state, runId, messageIds, attempts } = row;
    const what = `the notification ${id} of ${alarm} on ${channel}`;
    const received = messages.filter((message) => message.id === id);
    if (received.length > attempts)
      found.push(
        `${what}: ${attempts} attempts are on record, and ${received.length} were received`,
      );
    if (state === "delivered") {
      if (!received.some(({ isLost }) => !isLost))
        found.push(`${what}: it says delivered, and no receiver confirmed it`);
      if (messageIds.some((messageId) => !taken.has(messageId)))
        found.push(`${what}: it has an id that SES did not give`);
      if (channel === "email" && messageIds.length === 0) found.push(`${what}: it lacks SES's id`);
    } else if (state === "superseded") {
      const next = byId.get(row.supersededBy ?? "");
      const nextIds = [next?.newIds, next?.continuingIds, next?.clearedIds].flat();
      const ownIds = [...row.newIds, ...row.continuingIds, ...row.clearedIds];
      if (next?.channel !== channel || !ownIds.every((each) => nextIds.includes(each)))
        found.push(`${what}: what replaced it does not name all of its events`);
    } else found.push(`${what}: it was left ${state}`);
    const bundle = `${runId} ${alarm} ${channel}`;
    if (bundles.has(bundle)) found.push(`${what}: ${bundles.get(bundle)} is of the same tick`);
    bundles.set(bundle, id);
  }
  return found;
}

/** Each channel of an alarm named each of its events, no other did, and nothing is unsent any more. */
function eventComplaints(
  history: History,
  world: World,
  named: readonly Mention[],
): readonly string[] {
  const found = named
    .filter(({ event }) => event === undefined)
    .map(({ line }) => `${line}: no event is on record for it`);
  const said = new Set(
    named.map(({ event, message, says }) => `${message.channel} ${says} ${event?.id}`),
  );
  for (const event of history.events) {
    const channels = world.channelsOf(event.alarm);
    for (const channel of CHANNELS) {
      const what = `${event.alarm}: ${event.subject}${event.cleared === null ? "" : ", cleared"}, on ${channel}`;
      const fired = said.has(`${channel} firing ${event.id}`);
      const ended = said.has(`${channel} cleared ${event.id}`);
      const isStamped = event.notified[channel] !== undefined;
      if (!channels.includes(channel)) {
        if (fired || ended || isStamped) found.push(`${what}: was sent, and must not be`);
        continue;
      }
      if (!fired && !ended) found.push(`${what}: no message ever named it`);
      if (!isStamped) found.push(`${what}: is not stamped`);
      if (event.unsent.includes(channel)) found.push(`${what}: its end is still unsent`);
      if (notifiesClears(event.alarm) && event.cleared !== null && !ended)
        found.push(`${what}: no message said that it has cleared`);
    }
  }
  return found;
}

/** Only what may not have been stamped is said again, once for each such message, with a mark and the same id. */
function repeatComplaints(history: History, named: readonly Mention[]): readonly string[] {
  const found: string[] = [];
  for (const { mention, earlier } of repeats(named)) {
    if (!mention.mayBeRepeat) found.push(`${mention.line} is a repeat, and does not say so`);
    for (const { message } of earlier) {
      const before = `${mention.line} was said in tick ${message.tick} before`;
      if (!mayBeUnstamped(history, message)) found.push(`${before}, and that was delivered`);
      if (message.id !== mention.message.id && rowOf(history, message)?.state !== "superseded")
        found.push(`${before}, with another id`);
    }
  }
  for (const { line, event, says, message } of named) {
    if (event === undefined || says === "firing" || notifiesClears(event.alarm)) continue;
    const before = named.filter(
      (each) =>
        each.event === event &&
        each.says === "firing" &&
        each.message.channel === message.channel &&
        endOf(history, each.message) < (event.cleared ?? 0),
    );
    if (before.length > 0 && !before.some((each) => mayBeUnstamped(history, each.message)))
      found.push(`${line} was delivered while it fired, and clears are not sent`);
  }
  const repeated = repeatedMessages(named);
  for (const channel of CHANNELS) {
    const count = [...repeated].filter((message) => message.channel === channel).length;
    const unstamped = history.messages.filter(
      (message) => message.channel === channel && wasUnstamped(history, message),
    ).length;
    if (count > unstamped)
      found.push(`${channel}: ${count} messages were repeats, and ${unstamped} were not stamped`);
  }
  return found;
}

/** When the tick of a message ended. */
function endOf({ ticks }: History, { tick }: Received): number {
  return ticks.find(({ number }) => number === tick)?.end ?? 0;
}
