import type { JsonObject } from "../../src/text/json.ts";

export interface RowFacts {
  readonly created: string;
  readonly labels: readonly string[];
  /** Labels of the preferred event. */
  readonly preferred?: readonly string[];
  readonly group?: string;
  readonly pipeline?: string;
  readonly search?: string;
  readonly category?: string;
  readonly far?: number | null;
  readonly offline?: boolean;
}

/** A row of GraceDB's `superevents/`, in the shape of 2023. */
export function supereventRow(id: string, facts: RowFacts): JsonObject {
  const { created, labels, preferred = [], group = "CBC", pipeline = "gstlal" } = facts;
  const { search = "AllSky", category = "Production", far = 5e-7, offline = false } = facts;
  const links = { self: `https://gracedb.ligo.org/api/superevents/${id}/` };
  return {
    superevent_id: id,
    gw_id: null,
    category,
    created,
    far,
    labels: [...labels],
    links,
    preferred_event_data: {
      created,
      group,
      graceid: `G${id.replace(/\D/g, "")}`,
      pipeline,
      search,
      instruments: "H1,L1",
      offline,
      far,
      labels: [...preferred],
      superevent: id,
    },
  };
}

/** An entry of `superevents/ID/logs/`. */
export function logEntry(created: string, filename: string, comment = "uploaded"): JsonObject {
  return { N: 1, comment, created, issuer: "emfollow", filename, tag_names: ["public"] };
}
