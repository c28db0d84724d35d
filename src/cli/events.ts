import { readChannels } from "../channel/registry.ts";
import type { Config } from "../config/config.ts";
import { alarmChannels } from "../core/alarm_channels.ts";
import { alarmName } from "../core/event_key.ts";
import type { AlarmRow } from "../core/model.ts";
import { alarmRows, assumedRow } from "../store/alarms.ts";
import type { Database } from "../store/database.ts";
import { readStates } from "../store/engine_state.ts";
import { countEvents, eventsOf, type ListedEvent, listEvents } from "../store/event_list.ts";
import { cut, quote } from "../text/describe.ts";
import { suggestion } from "../text/nearest.ts";
import { utcMinute } from "../text/utc.ts";
import { NotFound, requireAlarms } from "./alarms.ts";
import { pendingDetections, renderProgress } from "./pending.ts";

/** Earlier events that are shown of a key. */
const EARLIER = 10;
/** Active events among which a mistyped key is looked for. */
const COMPARED = 1_000;

/** What a person calls an event, as messages show it. */
export function showEvent({ dedupeKey, alarm }: Pick<ListedEvent, "dedupeKey" | "alarm">): string {
  return `${cut(dedupeKey, 80)} of ${alarm}`;
}

/** The alarm that a person named; whatever has an event is known, although its row and its module may be gone. */
export async function alarmOfEvents(
  db: Database,
  config: Config,
  typed: string,
): Promise<string | undefined> {
  for (const name of [typed, alarmName(typed)])
    if ((await countEvents(db, { alarm: name, all: true })) > 0) return name;
  return (await requireAlarms(db, config, [typed], true))[0];
}

/** An alarm's row with its channels as a tick resolves them: the live one, else the last one that it had. */
export async function alarmRowOf(db: Database, config: Config, name: string): Promise<AlarmRow> {
  const { rows, deleted } = await alarmRows(db);
  const all = [...rows.filter(({ archived }) => !archived), ...rows, ...deleted];
  const row =
    all.find((each) => each.name === name) ??
    assumedRow({ name, title: undefined, description: undefined, params: {} });
  return { ...row, channels: alarmChannels(row.channels, readChannels(config.channels)).names };
}

/** The newest event of a key, one that fires before others, and those before it. Throws NotFound. */
export async function findEvent(db: Database, config: Config, typed: string, key: string) {
  const alarm = (await alarmOfEvents(db, config, typed)) ?? typed;
  const events = await eventsOf(db, alarm, key, EARLIER + 1);
  const event = events.find(({ clearTime }) => clearTime === undefined) ?? events[0];
  if (event !== undefined) return { event, earlier: events.filter((each) => each !== event) };
  const pending = await pendingText(db, alarm, key);
  if (pending !== undefined)
    throw new NotFound(`${showEvent({ alarm, dedupeKey: key })} ${pending}`);
  const active = await listEvents(db, { alarm, all: false, limit: COMPARED });
  const near = suggestion(
    key,
    active.map(({ dedupeKey }) => dedupeKey),
  );
  throw new NotFound(
    `the alarm ${alarm} has no event ${quote(key)}${near}; see: bin/swf-alarms event list --all --alarm ${alarm}`,
  );
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
  if (found === undefined) return undefined;
  const far = found.unit === "seconds" ? "it has been detected for" : "it was detected in";
  return `is pending: ${far} ${renderProgress(found)}; it fires ${found.fires}; see: bin/swf-alarms event list --pending`;
}
