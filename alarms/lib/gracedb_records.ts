import { type AlarmClient, type JsonObject, parseUtc } from "swf-alarms";
import { objectOf, quote, textOf, textsOf } from "./fields.ts";

/** A record of `superevents/ID/labels/`. */
export interface LabelRecord {
  readonly name: string;
  /** Epoch seconds; null if it cannot be read: the label is there, since when is not known. */
  readonly created: number | null;
}

/** A notice of `superevents/ID/voevents/`. */
export interface Notice {
  /** EW, PR, IN, UP or RE. */
  readonly type: string;
  /** Epoch seconds. */
  readonly created: number;
}

/** An entry of `superevents/ID/logs/`. */
export interface LogEntry {
  readonly comment: string;
  /** Empty if it has none. */
  readonly filename: string;
  readonly tags: readonly string[];
  /** Epoch seconds. */
  readonly created: number;
}

/** The lists of a superevent, by the last part of their path. */
export interface RecordOf {
  readonly labels: LabelRecord;
  readonly voevents: Notice;
  readonly logs: LogEntry;
}

export type ListName = keyof RecordOf;

/** Why something could not be looked at. */
export interface Unknown {
  readonly unknown: string;
}

type Records<N extends ListName> = readonly RecordOf[N][];

/** The field of the response, and how its rows are read. */
const LISTS: {
  readonly [N in ListName]: {
    readonly field: string;
    readonly parse: (row: JsonObject) => RecordOf[N];
  };
} = {
  labels: {
    field: "labels",
    parse: (row) => ({ name: textIn(row, "name"), created: parseUtc(row.created) ?? null }),
  },
  voevents: {
    field: "voevents",
    parse: (row) => ({ type: textIn(row, "voevent_type"), created: timeIn(row) }),
  },
  logs: {
    field: "log",
    parse: (row) => ({
      comment: textOf(row.comment) ?? "",
      filename: textOf(row.filename) ?? "",
      tags: textsOf(row.tag_names) ?? [],
      created: timeIn(row),
    }),
  },
};

export function isListName(name: string): name is ListName {
  return Object.hasOwn(LISTS, name);
}

/**
 * One list of a superevent, the oldest record first. A failed request leaves the keys with this prefix as they are. A 404 is a
 * failure too: a superevent that is listed has its lists, unless it was hidden since.
 */
export async function loadRecords<N extends ListName>(
  gracedb: AlarmClient,
  { id, list, scope }: { id: string; list: N; scope: string },
): Promise<Records<N> | Unknown> {
  const path = `superevents/${id}/${list}/`;
  const response = await gracedb.request(path, { scope });
  if (!response.ok) return { unknown: response.reason };
  try {
    return parseRecords(list, response.value);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { unknown: `the response of ${path} cannot be read: ${reason}` };
  }
}

/** Throws Error for a response that has not all records, or one that cannot be read: it does not prove that something is missing. */
export function parseRecords<N extends ListName>(list: N, response: unknown): Records<N> {
  const { field, parse } = LISTS[list];
  const { [field]: rows, numRows } = objectOf(response) ?? {};
  if (!Array.isArray(rows)) throw new Error(`${field} is ${quote(rows)}, not a list`);
  if (typeof numRows === "number" && rows.length < numRows)
    throw new Error(`it has ${rows.length} of ${numRows} rows`);
  return rows
    .map((row) => parse(objectOf(row) ?? {}))
    .sort((a, b) => (a.created ?? 0) - (b.created ?? 0));
}

function textIn(row: JsonObject, field: string): string {
  const text = textOf(row[field]);
  if (text === null) throw new Error(`a row has the ${field} ${quote(row[field])}`);
  return text;
}

function timeIn(row: JsonObject): number {
  const time = parseUtc(row.created);
  if (time === undefined) throw new Error(`a row was created ${quote(row.created)}`);
  return time;
}
