import type { AlarmClient, ParamSpecs, ParamsOf } from "swf-alarms";
import { show } from "./lib/fields.ts";
import { LIST_PARAMS, listSuperevents } from "./lib/gracedb_list.ts";

export const TITLE = "GraceDB event rate";

export const DESCRIPTION =
  "A search pipeline finds far more gravitational-wave candidates than it should, so that something is wrong with the data " +
  "or with the pipeline.";

export const SOURCES = ["gracedb"];

export const PARAMS = {
  window_seconds: {
    type: "number",
    default: 10_000,
    min: 1,
    description: "count the superevents that were created in this time before now",
  },
  max_events: {
    type: "integer",
    default: 10,
    min: 0,
    description: "report a pipeline with more superevents than this in the window",
  },
  ...LIST_PARAMS,
} as const satisfies ParamSpecs;

export async function* detect(client: AlarmClient, params: ParamsOf<typeof PARAMS>) {
  const { window_seconds: window, max_events: limit, categories } = params;
  const ids = new Map<string, string[]>();
  const { superevents } = await listSuperevents(client.source("gracedb"), {
    categories,
    lookBack: window,
    // One that cannot be dated may belong to the window of any pipeline.
    scope: () => undefined,
  });
  for (const { superevent_id: id, created, group, pipeline } of superevents) {
    if (created > client.now) continue;
    const search = `${show(group)}:${show(pipeline)}`;
    ids.set(search, [...(ids.get(search) ?? []), id]);
  }
  for (const [search, found] of ids) {
    if (found.length <= limit) continue;
    yield {
      dedupeKey: `rate:${search}`,
      subject: `${search} has ${found.length} superevents in ${window} s, more than ${limit}`,
      body: `Superevents, newest first: ${found.join(", ")}`,
      data: { metric: found.length, window_seconds: window, max_events: limit },
    };
  }
}
