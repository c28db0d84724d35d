import {
  type AlarmClient,
  type Detection,
  leftLookBack,
  type ParamSpecs,
  type ParamsOf,
} from "swf-alarms";
import { objectOf, quote } from "./lib/fields.ts";
import { bodyOf, dataOf, type Superevent } from "./lib/gracedb.ts";
import {
  FAR_PARAMS,
  isDayOlder,
  isFarUpTo,
  LIST_PARAMS,
  listSuperevents,
} from "./lib/gracedb_list.ts";

export const TITLE = "GraceDB labels without their sky map";

export const DESCRIPTION =
  "A gravitational-wave candidate is labelled as if it had a sky map (SKYMAP_READY or EM_READY), but there is no such file; or " +
  "there is one, but no label. Alerts rely on the labels.";

export const SOURCES = ["gracedb"];

export const PARAMS = {
  look_back_hours: {
    type: "number",
    default: 6,
    min: 0,
    description: "check superevents of the last hours; each needs one request in each tick",
  },
  grace_minutes: {
    type: "number",
    default: 15,
    min: 0,
    description:
      "leave superevents alone that are younger than this: a file comes before its label",
  },
  ...LIST_PARAMS,
  ...FAR_PARAMS,
} as const satisfies ParamSpecs;

/** Names of files, or why they could not be read. */
type Files = readonly string[] | { readonly unknown: string };

export async function* detect(client: AlarmClient, params: ParamsOf<typeof PARAMS>) {
  const gracedb = client.source("gracedb");
  const lookBack = params.look_back_hours * 3600;
  const settled = client.now - params.grace_minutes * 60;
  const scope = (id: string): string => `${id}:`;
  const { categories, far_limit } = params;
  const { superevents, ids } = await listSuperevents(gracedb, { categories, lookBack, scope });
  for (const superevent of superevents) {
    if (superevent.created > settled || !isFarUpTo(far_limit, superevent)) continue;
    const found = await checkLabels(gracedb, superevent);
    if (found !== undefined) yield found;
  }
  const hasLeft = (id: string): boolean => isDayOlder(id, lookBack, client.now);
  yield* leftLookBack({ firing: await client.firing(), seen: ids, hasLeft });
}

/** What is wrong with one superevent. The files of its preferred event are read only if they would decide something. */
async function checkLabels(
  gracedb: AlarmClient,
  superevent: Superevent,
): Promise<Detection | undefined> {
  const { superevent_id: id, labels, preferredLabels, preferredId } = superevent;
  const promising = [...labels, ...preferredLabels].filter((each) => IS_PROMISE.has(each));
  const own = await filesOf(gracedb, `superevents/${id}/files/`, `${id}:`);
  const ownMap = "unknown" in own ? undefined : own.find(isSkyMap);
  if (ownMap !== undefined)
    return promising.includes("SKYMAP_READY")
      ? undefined
      : {
          dedupeKey: `${id}:file_without_label`,
          subject: `${id}: the sky map ${ownMap} is there, but not the label SKYMAP_READY`,
          body: bodyOf(superevent, NO_LABEL, [["Sky map", ownMap]]),
          data: { ...dataOf(superevent), file: ownMap },
        };
  if (promising.length === 0 || "unknown" in own) return undefined;
  // The map is copied to the superevent only when an alert is sent.
  const preferred =
    preferredId === null ? [] : await filesOf(gracedb, `events/${preferredId}/files/`, `${id}:`);
  if ("unknown" in preferred || preferred.some(isSkyMap)) return undefined;
  return {
    dedupeKey: `${id}:label_without_file`,
    subject: `${id}: the label ${promising[0]} is there, but no sky map`,
    body: bodyOf(superevent, NO_FILE, [["Files", own.slice(0, SHOWN).join(", ") || "none"]]),
    data: { ...dataOf(superevent), files: own.slice(0, SHOWN) },
  };
}

const NO_LABEL = "There is a sky map, but no label SKYMAP_READY: alerts wait for the label.";
const NO_FILE =
  "The labels say that there is a sky map, but there is no such file: an alert would be sent without one.";

/** Files that are named. */
const SHOWN = 50;

const IS_PROMISE: ReadonlySet<string> = new Set(["SKYMAP_READY", "EM_READY"]);

function isSkyMap(file: string): boolean {
  return /\.fits(\.gz)?(,\d+)?$/.test(file);
}

/** A 404 is no answer here: what is listed has a list of files, unless the user may not see it. */
async function filesOf(gracedb: AlarmClient, path: string, scope: string): Promise<Files> {
  const outcome = await gracedb.request(path, { scope });
  const files = outcome.ok ? objectOf(outcome.value) : null;
  if (files !== null) return Object.keys(files);
  const reason = outcome.ok ? `the files are ${quote(outcome.value)}` : outcome.reason;
  if (outcome.ok || outcome.status === 404)
    gracedb.incomplete(`${path} could not be checked: ${reason}`, scope);
  return { unknown: reason };
}
