import type { AlarmClient, ParamSpecs, ParamsOf } from "swf-alarms";
import { parseEvent, type SupervisorEvent, supervisorOf } from "./lib/supervisord_event.ts";
import {
  describeItem,
  endOf,
  fitting,
  type Item,
  keyOf,
  takeEvent,
} from "./lib/supervisord_items.ts";

export const TITLE = "Events of supervisord";

export const DESCRIPTION =
  "A program that supervisord runs exited unexpectedly or could not be started, or it sent an alert itself.";

export const SOURCES = ["supervisord_events"];

export const PARAMS = {
  quiet_minutes: {
    type: "number",
    default: 30,
    min: 1,
    description:
      "end the event of a message, and of a program that exits repeatedly, after this long without another",
  },
  signals: {
    type: "list",
    default: [],
    description: "report messages SIGNAL:TYPE:… of these types too, such as RISK_ALERT",
  },
} as const satisfies ParamSpecs;

/** Of what is remembered: a module that this one replaces may have remembered something else. */
const FORMAT = "supervisord_events 1";

interface Memory {
  readonly format: typeof FORMAT;
  /** When each supervisord that has items had its latest line, in epoch seconds. */
  readonly heard: { readonly [supervisor: string]: number };
  readonly items: readonly Item[];
}

export async function* detect(client: AlarmClient, params: ParamsOf<typeof PARAMS>) {
  const rules = { quiet: params.quiet_minutes * 60, signals: params.signals };
  const remembered = (await client.previous<Memory | null>())?.value;
  const before = remembered?.format === FORMAT ? remembered : undefined;
  const items = new Map(before?.items.map((item) => [keyOf(item), item]));
  const heard = new Map(Object.entries(before?.heard ?? {}));
  const events = await readEvents(client, heard);
  const news = new Set(events.flatMap((event) => takeEvent(items, event, rules)));
  const kept: Item[] = [];
  for (const [key, item] of items) {
    const clock = heard.get(item.supervisor) ?? item.at;
    const isOld = clock - item.at >= rules.quiet;
    // The first look finds whatever the spool still has.
    const isNew = news.has(key) && !(before === undefined && isOld);
    const end = endOf(item, { clock, quiet: rules.quiet, now: client.now });
    if (end === null || isNew) yield describeItem(item);
    else yield { dedupeKey: key, clear: end };
    // A program that is RUNNING again may soon exit again.
    if (end === null || isNew || !isOld) kept.push(item);
  }
  remember(client, kept, heard);
}

/** The new events, in the order in which each run of a supervisord sent them. */
async function readEvents(client: AlarmClient, heard: Map<string, number>) {
  const runs = new Map<string, SupervisorEvent[]>();
  const faults: string[] = [];
  for await (const { at, ...rest } of client.source("supervisord_events").pages()) {
    // What a listener wrote whose clock was ahead must not last until then.
    const line = { ...rest, at: Math.min(at, client.now) };
    const supervisor = supervisorOf(line);
    heard.set(supervisor, Math.max(line.at, heard.get(supervisor) ?? line.at));
    const parsed = parseEvent(line);
    if (!parsed.ok) faults.push(parsed.error);
    else if (parsed.event !== undefined) {
      const run = runs.get(line.origin) ?? [];
      runs.set(line.origin, run);
      run.push(parsed.event);
    }
  }
  const [fault] = faults;
  if (fault !== undefined)
    client.incomplete(faults.length === 1 ? fault : `${fault}; and ${faults.length - 1} more`);
  return [...runs.values()].flatMap((run) => run.sort((a, b) => a.serial - b.serial));
}

function remember(client: AlarmClient, items: readonly Item[], heard: ReadonlyMap<string, number>) {
  const kept = fitting(items);
  if (kept.length < items.length)
    client.note(
      `${items.length - kept.length} of ${items.length} programs and messages cannot be remembered, so that their events end with the next tick`,
    );
  const supervisors = new Set(kept.map(({ supervisor }) => supervisor));
  const times = [...heard].filter(([supervisor]) => supervisors.has(supervisor));
  const memory: Memory = { format: FORMAT, heard: Object.fromEntries(times), items: kept };
  client.remember(memory);
}
