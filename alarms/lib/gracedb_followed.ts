import { type AlarmClient, type JsonObject, parseUtc } from "swf-alarms";
import { objectOf, quote, textOf, textsOf } from "./fields.ts";
import { parseSuperevent, type Superevent } from "./gracedb.ts";

/** A superevent and what its preferred event adds, of a row of `superevents/`. */
export interface FollowableSuperevent extends Superevent {
  readonly search: string | null;
  readonly instruments: readonly string[];
  readonly preferredLabels: readonly string[];
  /** The id of the preferred event; null if it is not known or would change a path. */
  readonly preferredId: string | null;
  /** Found in a later search of the data, whose products come when they come. */
  readonly isOffline: boolean;
}

/** One entry of `superevents/ID/logs/`. */
export interface LogEntry {
  readonly comment: string;
  /** Empty if it has none. */
  readonly filename: string;
  readonly tags: readonly string[];
  /** Epoch seconds. */
  readonly created: number;
}

/** Why something could not be loaded. */
export interface NotLoaded {
  readonly unknown: string;
}

/** A superevent, and what was loaded of it so far. */
export interface FollowedSuperevent {
  readonly superevent: FollowableSuperevent;
  /** Epoch seconds by label. */
  labelTimes?: ReadonlyMap<string, number> | NotLoaded;
  logs?: readonly LogEntry[] | NotLoaded;
}

export type ParsedFollowable =
  | { readonly ok: true; readonly superevent: FollowableSuperevent }
  | { readonly ok: false; readonly error: string };

export function parseFollowable(row: JsonObject): ParsedFollowable {
  const parsed = parseSuperevent(row);
  if (!parsed.ok) return parsed;
  const preferred = objectOf(row.preferred_event_data);
  const graceid = textOf(preferred?.graceid);
  const superevent: FollowableSuperevent = {
    ...parsed.superevent,
    search: textOf(preferred?.search),
    instruments: (textOf(preferred?.instruments) ?? "").split(",").filter((ifo) => ifo !== ""),
    preferredLabels: textsOf(preferred?.labels) ?? [],
    preferredId: graceid !== null && /^\w+$/.test(graceid) ? graceid : null,
    isOffline: preferred?.offline === true,
  };
  return { ok: true, superevent };
}

/** Loads the label times ("labels") or the log ("logs") of a superevent; a failure leaves only its own keys unknown. */
export async function loadFact(
  gracedb: AlarmClient,
  entity: FollowedSuperevent,
  need: string,
): Promise<void> {
  const { superevent_id: id } = entity.superevent;
  const path = `superevents/${encodeURIComponent(id)}/${need === "labels" ? "labels" : "logs"}/`;
  const outcome = await gracedb.request(path, { scope: `${id}:` });
  const response: unknown = outcome.ok ? outcome.value : undefined;
  // GraceDB answers 404 for a superevent without any that the user may see.
  const isNone = !outcome.ok && outcome.status === 404;
  const failed = outcome.ok || isNone ? undefined : { unknown: outcome.reason };
  if (need === "labels")
    entity.labelTimes = failed ?? (isNone ? new Map() : parseLabelTimes(response));
  else entity.logs = failed ?? (isNone ? [] : parseLogs(response));
}

/** A record without a readable time is left out: the label is there, since when is not known. */
export function parseLabelTimes(response: unknown): ReadonlyMap<string, number> | NotLoaded {
  const list = objectOf(response)?.labels;
  if (!Array.isArray(list)) return { unknown: `its labels are ${quote(list)}, not a list` };
  return new Map(
    list.map(objectOf).flatMap((record) => {
      const name = textOf(record?.name);
      const time = parseUtc(record?.created);
      return name === null || time === undefined ? [] : [[name, time] as const];
    }),
  );
}

export function parseLogs(response: unknown): readonly LogEntry[] | NotLoaded {
  const { log, numRows } = objectOf(response) ?? {};
  if (!Array.isArray(log)) return { unknown: `its log is ${quote(log)}, not a list` };
  if (typeof numRows === "number" && log.length < numRows)
    return { unknown: `its log has ${log.length} of ${numRows} entries` };
  const entries: LogEntry[] = [];
  for (const each of log) {
    const entry = objectOf(each);
    const created = parseUtc(entry?.created);
    if (created === undefined)
      return { unknown: `an entry of its log was created ${quote(entry?.created)}` };
    entries.push({
      comment: textOf(entry?.comment) ?? "",
      filename: textOf(entry?.filename) ?? "",
      tags: textsOf(entry?.tag_names) ?? [],
      created,
    });
  }
  return entries;
}
