import {
  type AlarmClient,
  type Graph,
  type ParamSpecs,
  type ParamsOf,
  utcSecond,
} from "swf-alarms";
import { bodyOf, dataOf } from "./lib/gracedb.ts";
import { FOLLOW_PARAMS, followSuperevents } from "./lib/gracedb_follow.ts";
import { lookFor, type Want } from "./lib/gracedb_followup_look.ts";
import { FAR_PARAMS } from "./lib/gracedb_list.ts";

export const TITLE = "GraceDB follow-up";

export const DESCRIPTION =
  "A product or label that should follow a gravitational-wave candidate is missing after its deadline, or unusable. " +
  "Expectations, deadlines and owners are those of the alarm's graph (alarm show --graph).";

export const SOURCES = ["gracedb"];

export const PARAMS = {
  ...FOLLOW_PARAMS,
  ...FAR_PARAMS,
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
    description:
      "who is notified of what an owner has to deliver, in addition to the recipients of the alarm",
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
      words: "EM-bright (EMBRIGHT_READY)",
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
      words: "completion (EM_READY)",
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
  const recipients = new Map(params.owners.map((each) => [each.owner, each.recipients]));
  yield* followSuperevents(client, {
    graph: GRAPH,
    params,
    start: ({ created }) => created,
    look: (superevent, known, want, timed) =>
      lookFor(superevent, known, want, timed, params.far_limit),
    describe: (superevent, { expectation, state, reason, since = 0, due = 0 }) => {
      const { words = expectation.name, owner = "" } = expectation;
      const text = state === "bad" ? `Unusable: ${reason}.` : `The ${words} did not come in time.`;
      return {
        body: bodyOf(superevent, text, [
          ["Expected from", utcSecond(since)],
          ["Expected by", utcSecond(due)],
          ["Owner", owner],
        ]),
        data: dataOf(superevent),
        recipients: recipients.get(owner) ?? [],
      };
    },
  });
}
