import type { StoppedAlarm } from "../alarm/load_alarms.ts";
import { readChannels } from "../channel/registry.ts";
import type { Config } from "../config/config.ts";
import { alarmChannels } from "../core/alarm_channels.ts";
import { alarmName, ENGINE } from "../core/event_key.ts";
import { alarmRows, assumedRow } from "../store/alarms.ts";
import type { Database } from "../store/database.ts";
import { readStates } from "../store/engine_state.ts";
import { eventsOf, type ListedEvent, listEvents } from "../store/event_list.ts";
import { cut, quote, showName } from "../text/describe.ts";
import { nearest } from "../text/nearest.ts";
import { utcMinute } from "../text/utc.ts";
import { NotFound, requireAlarms } from "./alarms.ts";
import { pendingDetections, renderPending } from "./pending.ts";

/** Earlier events that are shown of a key. */
const EARLIER = 10;
/** Events among which a mistyped key is looked for. */
const COMPARED = 1_000;
const SUGGESTED = 3;

/** What a person calls an event, as messages show it. */
export function showEvent({ dedupeKey, alarm }: Pick<ListedEvent, "dedupeKey" | "alarm">): string {
  return `${cut(dedupeKey, 80)} of ${alarm}`;
}

/** The alarm that a person named; whatever has an event is known, although its row and its module may be gone. */
export async function alarmOfEvents(db: Database, config: Config, typed: string): Promise<string> {
  for (const name of [typed, alarmName(typed)])
    if ((await listEvents(db, { alarm: name, all: true, limit: 1 })).length > 0) return name;
  return (await requireAlarms(db, config, [typed], true))[0] ?? typed;
}

/**
 * The row of an alarm with channels and recipients as a tick resolves them, and why the alarm no longer runs, if so: the
 * live row, else the last one that it had, else one without an id.
 */
export async function alarmOf(db: Database, config: Config, name: string) {
  const { rows, deleted } = await alarmRows(db);
  const own = rows.filter((row) => row.name === name);
  const live = own.find(({ archived }) => !archived);
  const last = own[0] ?? deleted.find((each) => each.name === name);
  const none = { name, title: undefined, description: undefined, params: {} };
  const row = live ?? last ?? assumedRow(none);
  const { names: channels } = alarmChannels(row.channels, readChannels(config.channels));
  const isToOperators = name === ENGINE && row.recipients.length === 0;
  const recipients = isToOperators ? config.operators : row.recipients;
  const reason: StoppedAlarm["reason"] = own.length > 0 ? "alarm archived" : "alarm deleted";
  const stopped = live === undefined && last !== undefined ? reason : undefined;
  return { row: { ...row, channels, recipients }, stopped };
}

/** The last events of an entity: the one that fires first, then the newest. */
export async function entityEvents(db: Database, alarm: string, key: string, limit: number) {
  const isActive = ({ clearTime }: ListedEvent): number => Number(clearTime === undefined);
  const events = await eventsOf(db, alarm, key, limit);
  return events.toSorted((a, b) => isActive(b) - isActive(a));
}

/** The event of a key that fires, else the newest one, and the others. Throws NotFound. */
export async function findEvent(db: Database, config: Config, typed: string, key: string) {
  const alarm = await alarmOfEvents(db, config, typed);
  const [event, ...earlier] = await entityEvents(db, alarm, key, EARLIER + 1);
  if (event !== undefined) return { event, earlier };
  const pending = await pendingText(db, alarm, key);
  if (pending !== undefined)
    throw new NotFound(`${showEvent({ alarm, dedupeKey: key })} ${pending}`);
  const near = await nearKeys(db, alarm, key, []);
  throw new NotFound(`the alarm ${alarm} has no event ${quote(key)}${near}`);
}

/** Keys that the person may have meant: what contains the text, else the nearest one. */
export async function nearKeys(
  db: Database,
  alarm: string,
  typed: string,
  pending: Iterable<string>,
): Promise<string> {
  const listed = await listEvents(db, { alarm, all: true, limit: COMPARED });
  const keys = [...new Set([...listed.map(({ dedupeKey }) => dedupeKey), ...pending])];
  const parts = keys.filter((key) => key.toLowerCase().includes(typed.toLowerCase()));
  const near = parts.length > 0 ? parts.slice(0, SUGGESTED) : [nearest(typed, keys)];
  const names = near.flatMap((key) => (key === undefined ? [] : showName(key)));
  return names.length === 0
    ? `; see: bin/swf-alarms event list --all --alarm ${alarm}`
    : ` (did you mean ${names.join(" or ")}?)`;
}

/** The event of a key that fires now. Throws NotFound, which says what it is instead. */
export async function findFiring(
  db: Database,
  config: Config,
  typed: string,
  key: string,
): Promise<ListedEvent> {
  const { event } = await findEvent(db, config, typed, key);
  const { clearTime, clearReason = "no reason is on record" } = event;
  if (clearTime === undefined) return event;
  const state =
    (await pendingText(db, event.alarm, key)) ??
    `is not firing: it cleared at ${utcMinute(clearTime)} because: ${clearReason}`;
  throw new NotFound(`${showEvent(event)} ${state}`);
}

/** What a key is that is detected and has no event yet; undefined if it is not detected. */
async function pendingText(db: Database, alarm: string, key: string): Promise<string | undefined> {
  const { rows } = await alarmRows(db);
  const own = rows.filter(({ name }) => name === alarm);
  const all = pendingDetections(await readStates(db), own, Date.now() / 1000);
  const found = all.find((each) => each.key === key);
  return found && `is pending: ${renderPending(found)}; see: bin/swf-alarms event list --pending`;
}
