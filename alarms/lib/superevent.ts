import { type JsonObject, parseUtc } from "swf-alarms";
import { numberOf, objectOf, quote, textOf, textsOf } from "./fields.ts";

/** A row of GraceDB's `superevents/`. Null is what is not there: rows of 2019 have no preferred event. */
export interface Superevent {
  readonly id: string;
  readonly category: string | null;
  readonly labels: readonly string[];
  /** Epoch seconds; null where the text is no time. */
  readonly created: number | null;
  /** False alarms per second: how often noise alone would look like this. */
  readonly far: number | null;
  readonly group: string | null;
  readonly pipeline: string | null;
}

export type ParsedSuperevent =
  | { readonly ok: true; readonly superevent: Superevent }
  | { readonly ok: false; readonly fault: string };

export function parseSuperevent(row: JsonObject): ParsedSuperevent {
  const { superevent_id: id } = row;
  // It becomes part of a path: nothing but a plain name may lead to another question.
  if (typeof id !== "string" || !/^[\w-]+$/.test(id))
    return { ok: false, fault: `a superevent has the superevent_id ${quote(id)}` };
  const labels = textsOf(row.labels);
  if (labels === null)
    return { ok: false, fault: `superevent ${id} has no readable labels: ${quote(row.labels)}` };
  const preferred = objectOf(row.preferred_event_data);
  const superevent: Superevent = {
    id,
    category: textOf(row.category),
    labels,
    created: parseUtc(row.created) ?? null,
    far: numberOf(row.far),
    group: textOf(preferred?.group),
    pipeline: textOf(preferred?.pipeline),
  };
  return { ok: true, superevent };
}

/** A record of `superevents/<id>/labels/`. */
export interface LabelRecord {
  readonly name: string;
  /** Epoch seconds; null where the text is no time. */
  readonly created: number | null;
}

/** The records in an answer of `superevents/<id>/labels/`; what cannot be read is left out. */
export function parseLabelRecords(answer: unknown): readonly LabelRecord[] {
  const records = objectOf(answer)?.labels;
  if (!Array.isArray(records)) return [];
  return records.flatMap((record) => {
    const name = textOf(objectOf(record)?.name);
    return name === null ? [] : [{ name, created: parseUtc(objectOf(record)?.created) ?? null }];
  });
}
