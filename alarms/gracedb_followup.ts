import {
  type AlarmClient,
  type Detection,
  follow,
  type Graph,
  horizon,
  leftLookBack,
  type ParamSpecs,
  type ParamsOf,
  type Verdict,
} from "swf-alarms";
import { describeFollowed } from "./lib/gracedb_describe.ts";
import { type FollowedSuperevent, loadFact } from "./lib/gracedb_followed.ts";
import { isDayOlder, listSuperevents } from "./lib/gracedb_list.ts";
import { lookFor, type Want } from "./lib/gracedb_want.ts";

export const TITLE = "GraceDB follow-up";

export const DESCRIPTION =
  "A product or label that should follow a gravitational-wave candidate is missing after its deadline, or unusable. " +
  "Expectations, deadlines and owners are those of the alarm's graph (alarm show --graph).";

export const SOURCES = ["gracedb"];

export const PARAMS = {
  look_back_hours: {
    type: "number",
    default: 72,
    min: 0,
    description:
      "follow superevents of the last hours; never fewer than the last deadline of the graph needs",
  },
  categories: {
    type: "list",
    default: ["Production"],
    description: "only these categories: Production, MDC, Test; all if empty",
  },
  far_limit: {
    type: "number",
    // Two a day: the limit for alerts.
    default: 2 / 86_400,
    min: 0,
    description: "expect products only of superevents with at most this false alarm rate, in Hz",
  },
  owners: {
    type: "table",
    default: [],
    columns: {
      owner: {
        type: "string",
        required: true,
        description: "an owner of the graph, e.g. sky maps",
      },
      recipients: { type: "list", required: true, description: "addresses and @teams" },
    },
    description: "who is told of what an owner is to deliver, beside the recipients of the alarm",
  },
} as const satisfies ParamSpecs;

const IS_WATCHED: readonly Want[] = ["online", "far watched"];

/** Deadlines of products are those of event_supervisor2 where it has them; two days for a long parameter estimation. */
export const GRAPH: Graph<Want> = {
  expectations: [
    {
      name: "false_alarm_rate",
      want: "far",
      within: 60,
      when: "online",
      owner: "searches",
      words: "false alarm rate",
    },
    {
      name: "sky_map",
      want: { any: ["label SKYMAP_READY", "unlabelled *.fits", "unlabelled *.fits.gz"] },
      within: 300,
      when: { all: [...IS_WATCHED, { not: "pipeline oLIB" }] },
      owner: "sky maps",
      severity: "error",
      words: "sky map (SKYMAP_READY)",
    },
    {
      // Its sky map comes with its parameter estimation.
      name: "olib_sky_map",
      want: { any: ["label SKYMAP_READY", "unlabelled *.fits", "unlabelled *.fits.gz"] },
      within: 21_600,
      when: { all: [...IS_WATCHED, "pipeline oLIB"] },
      owner: "sky maps",
      severity: "error",
      words: "sky map of oLIB (SKYMAP_READY)",
    },
    {
      name: "em_bright",
      want: {
        any: [
          "label EMBRIGHT_READY",
          "unlabelled *em_bright.json",
          "unlabelled source_class*.json",
        ],
      },
      within: 720,
      when: { all: [...IS_WATCHED, "group CBC"] },
      owner: "source properties",
      severity: "error",
      words: "EM-bright classification (EMBRIGHT_READY)",
    },
    {
      name: "p_astro",
      want: { any: ["label PASTRO_READY", "unlabelled *p_astro*.json"] },
      within: 300,
      // Candidates of less than a solar mass have none.
      when: { all: [...IS_WATCHED, "group CBC", { not: "search SSM" }] },
      owner: "source properties",
      severity: "error",
      words: "p-astro (PASTRO_READY)",
    },
    {
      name: "complete",
      want: "label EM_READY",
      within: 300,
      after: ["sky_map", "olib_sky_map", "em_bright", "p_astro"],
      // A row of 2019 has no group; then there was no such label yet.
      when: { any: ["group CBC", "group Burst"] },
      owner: "alerts",
      severity: "error",
      words: "mark that all products are there (EM_READY)",
    },
    {
      name: "parameter_estimation",
      want: { any: ["label PE_READY", "unlabelled *posterior_samples*"] },
      within: 172_800,
      after: ["complete"],
      when: {
        all: ["category Production", "group CBC", "label SIGNIF_LOCKED", "far up to 1.65e-6"],
      },
      cancel: "label ADVNO",
      owner: "parameter estimation",
      words: "parameter estimation (PE_READY)",
    },
  ],
};

export async function* detect(client: AlarmClient, params: ParamsOf<typeof PARAMS>) {
  const gracedb = client.source("gracedb");
  const recipients = new Map(params.owners.map((each) => [each.owner, each.recipients]));
  const lookBack = Math.max(params.look_back_hours * 3600, horizon(GRAPH));
  const firing = new Set(await client.firing());
  const facts = {
    graph: GRAPH,
    now: client.now,
    id: ({ superevent }: FollowedSuperevent) => superevent.superevent_id,
    start: ({ superevent }: FollowedSuperevent) => superevent.created ?? client.now,
    look: (entity: FollowedSuperevent, want: Want, timed: boolean) =>
      lookFor(entity, want, timed, params.far_limit),
    load: (entity: FollowedSuperevent, need: string) => loadFact(gracedb, entity, need),
    unknown: (reason: string, key: string) => client.incomplete(reason, key),
    firing,
    note: (text: string) => client.note(text),
    seen: (id: string, verdicts: readonly Verdict<Want>[]) => client.states(id, verdicts),
    describe: (entity: FollowedSuperevent, verdict: Verdict<Want>): Partial<Detection> => ({
      ...describeFollowed(entity, verdict),
      recipients: recipients.get(verdict.expectation.owner ?? "") ?? [],
    }),
  };
  const scope = (id: string): string => `${id}:`;
  const { categories } = params;
  const { superevents, ids } = await listSuperevents(gracedb, categories, lookBack, scope);
  for (const superevent of superevents) yield* follow(facts, { superevent });
  const hasLeft = (id: string): boolean => isDayOlder(id, lookBack, client.now);
  yield* leftLookBack({ firing, seen: ids, hasLeft });
}
