import type { AlarmClient, Sight } from "swf-alarms";
import { quote } from "./fields.ts";
import type { Superevent } from "./gracedb.ts";
import {
  isListName,
  type LabelRecord,
  type ListName,
  type LogEntry,
  loadRecords,
  type Notice,
} from "./gracedb_records.ts";

/** What is known of a superevent beside its row: its lists, as far as they were loaded. */
export interface Known {
  readonly labels: readonly LabelRecord[];
  /** The oldest first. */
  readonly voevents: readonly Notice[];
  /** The oldest first. */
  readonly logs: readonly LogEntry[];
  /** What became of the lists that were loaded in this tick: true, or why it failed. */
  readonly loaded: { readonly [list in ListName]?: true | string };
}

export const NOTHING_KNOWN: Known = { labels: [], voevents: [], logs: [], loaded: {} };

/** What it means that a list does not show something: it may have to be loaded first. */
export function absent({ loaded }: Known, list: ListName): Sight {
  const result = loaded[list];
  if (result === undefined) return { need: list };
  return result === true ? false : { unknown: result };
}

/** A row has labels without times. Those of its preferred event count too, and never have one. */
export function seeLabel(
  { labels, preferredLabels }: Superevent,
  known: Known,
  name: string,
  timed: boolean,
): Sight {
  if (!labels.includes(name)) return preferredLabels.includes(name);
  const time = known.labels.find((record) => record.name === name)?.created;
  if (typeof time === "number") return time;
  return timed ? absent(known, "labels") || true : true;
}

/** Label times and notices, which stay true. Logs would take too much room. */
export interface RememberedRecords {
  readonly [id: string]: {
    readonly labels: { readonly [name: string]: number | null };
    readonly voevents: readonly Notice[];
  };
}

/** What is known of the superevents of a tick. A list is loaded again only for something that it did not show before. */
export class KnownRecords {
  readonly #gracedb: AlarmClient;
  readonly #known: Map<string, Known>;

  constructor(gracedb: AlarmClient, remembered: RememberedRecords = {}) {
    this.#gracedb = gracedb;
    this.#known = new Map(
      Object.entries(remembered).map(([id, { labels, voevents }]) => [
        id,
        {
          ...NOTHING_KNOWN,
          labels: Object.entries(labels).map(([name, created]) => ({ name, created })),
          voevents,
        },
      ]),
    );
  }

  of(id: string): Known {
    return this.#known.get(id) ?? NOTHING_KNOWN;
  }

  /** Loads a list; a failure makes only this superevent unknown. */
  async load(id: string, list: string): Promise<void> {
    if (!isListName(list)) throw new Error(`${id}: GraceDB has no list ${quote(list)}`);
    const records = await loadRecords(this.#gracedb, { id, list, scope: `${id}:` });
    const known = this.of(id);
    this.#known.set(
      id,
      "unknown" in records
        ? { ...known, loaded: { ...known.loaded, [list]: records.unknown } }
        : { ...known, [list]: records, loaded: { ...known.loaded, [list]: true } },
    );
  }

  /** What is worth keeping of these superevents. */
  toRemember(ids: ReadonlySet<string>): RememberedRecords {
    return Object.fromEntries(
      [...this.#known]
        .filter(([id]) => ids.has(id))
        .map(([id, { labels, voevents }]) => [
          id,
          {
            labels: Object.fromEntries(labels.map(({ name, created }) => [name, created])),
            voevents,
          },
        ]),
    );
  }
}
