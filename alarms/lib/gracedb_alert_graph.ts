import type { Expectation, Graph, Term } from "swf-alarms";

/** What is looked for at a superevent: a label by its name, or one of these. */
export type AlertWant =
  | Label
  /** A notice that was created, and is bad: the label that GWCelery sets once it is sent does not follow. */
  | "unsent preliminary"
  | "unsent less-significant"
  | "second preliminary"
  | "second less-significant"
  | `notice ${"EW" | "IN" | "RE" | "UP"}`
  /** A log entry: a notice was blocked by labels. */
  | "blocked"
  /** By ADVOK or ADVNO: only those block a preliminary notice. */
  | "blocked by a decision"
  | "CBC"
  | "SSM"
  | "MDC"
  /** By its false alarm rate. */
  | "significant"
  | "less significant"
  /** Created in a run that locks superevents and sends each preliminary notice twice: from 2023 on. */
  | "run with locks";

export type Label =
  | "SKYMAP_READY"
  | "EMBRIGHT_READY"
  | "PASTRO_READY"
  | "EM_READY"
  | "PE_READY"
  | "LOW_SIGNIF_LOCKED"
  | "SIGNIF_LOCKED"
  | "EARLY_WARNING"
  | "DQOK"
  | "DQV"
  | "INJ"
  | "GCN_PRELIM_SENT"
  | "LOW_SIGNIF_PRELIM_SENT"
  | "ADVREQ"
  | "ADVOK"
  | "ADVNO";

export const ALERT_STAGES = ["preliminary", "initial", "update"];

type Terms = readonly Term<AlertWant>[];
const all = (...terms: Terms): Term<AlertWant> => ({ all: terms });
const any = (...terms: Terms): Term<AlertWant> => ({ any: terms });
const none = (...terms: Terms): Term<AlertWant> => ({ not: { any: terms } });

const SIGNIFICANT = any("significant", "SIGNIF_LOCKED", "EARLY_WARNING");
const LESS_SIGNIFICANT = all(any("less significant", "LOW_SIGNIF_LOCKED"), { not: SIGNIFICANT });
const ALERTED = any(SIGNIFICANT, "less significant", "LOW_SIGNIF_LOCKED");
/** A notice with one of these is not published. */
const VETOES: Terms = ["DQV", "INJ"];
const DECIDED: Terms = ["ADVOK", "ADVNO"];

const PRODUCT = { within: 300, severity: "warning", stage: "preliminary" } as const;
const NOTICE = { severity: "error", stage: "preliminary" } as const;
const LESS_SIGNIFICANT_NOTICE = { ...NOTICE, severity: "warning", cancel: "blocked" } as const;

/** Seconds for the settle time of 270 s, and for the second notice after it. */
const SECOND = 270 + 330;

/** What GWCelery does with a superevent, in its order. The time for the decision is a parameter of the alarm. */
const EXPECTATIONS: readonly Expectation<AlertWant>[] = [
  { ...PRODUCT, name: "sky_map", words: "sky map", want: "SKYMAP_READY", when: ALERTED },
  {
    ...PRODUCT,
    name: "source_class",
    words: "source classification",
    want: "EMBRIGHT_READY",
    when: all("CBC", ALERTED),
  },
  {
    ...PRODUCT,
    name: "p_astro",
    words: "p-astro",
    want: "PASTRO_READY",
    when: all("CBC", none("SSM"), ALERTED),
  },
  {
    ...PRODUCT,
    name: "complete",
    words: "label EM_READY",
    want: "EM_READY",
    within: 60,
    after: ["sky_map", "source_class", "p_astro"],
    when: ALERTED,
  },
  {
    name: "locked",
    words: "lock (SIGNIF_LOCKED)",
    want: any("SIGNIF_LOCKED", "EARLY_WARNING"),
    within: 60,
    after: ["complete"],
    when: all("run with locks", SIGNIFICANT),
    severity: "error",
    stage: "preliminary",
  },
  {
    name: "less_significant_locked",
    words: "lock (LOW_SIGNIF_LOCKED)",
    want: "LOW_SIGNIF_LOCKED",
    within: 60,
    after: ["complete"],
    when: all("run with locks", LESS_SIGNIFICANT),
    severity: "warning",
    stage: "preliminary",
  },
  {
    ...PRODUCT,
    name: "data_quality",
    words: "data quality (DQOK/DQV)",
    want: any("DQOK", "DQV"),
    after: ["complete", "locked", "less_significant_locked"],
    when: none("MDC"),
  },
  {
    ...NOTICE,
    name: "early_warning",
    words: "early-warning notice",
    want: "notice EW",
    within: 300,
    after: ["locked"],
    when: all("EARLY_WARNING", none("SIGNIF_LOCKED", ...DECIDED, ...VETOES)),
  },
  {
    ...NOTICE,
    name: "preliminary",
    words: "preliminary notice",
    want: any("GCN_PRELIM_SENT", "unsent preliminary"),
    within: 300,
    after: ["complete", "locked"],
    // An early warning waits for a later event of the full bandwidth.
    when: all(SIGNIFICANT, any("SIGNIF_LOCKED", none("EARLY_WARNING")), none(...VETOES)),
  },
  {
    ...NOTICE,
    name: "second_preliminary",
    words: "second preliminary notice",
    want: "second preliminary",
    within: SECOND,
    after: ["preliminary"],
    cancel: "blocked by a decision",
    when: all("run with locks", none(...DECIDED, ...VETOES)),
    severity: "warning",
  },
  {
    ...LESS_SIGNIFICANT_NOTICE,
    name: "less_significant",
    words: "less-significant notice",
    want: any("LOW_SIGNIF_PRELIM_SENT", "unsent less-significant"),
    within: 300,
    after: ["less_significant_locked"],
    when: none("SIGNIF_LOCKED", "EARLY_WARNING", ...DECIDED, ...VETOES),
  },
  {
    ...LESS_SIGNIFICANT_NOTICE,
    name: "second_less_significant",
    words: "second less-significant notice",
    want: "second less-significant",
    within: SECOND,
    after: ["less_significant"],
    when: none("ADVREQ", "SIGNIF_LOCKED", "EARLY_WARNING", ...DECIDED, ...VETOES),
  },
  {
    name: "decision",
    words: "decision (ADVOK/ADVNO)",
    want: any(...DECIDED),
    within: 3600,
    // People are asked once it is locked, whatever becomes of the notice.
    from: any("SIGNIF_LOCKED", "EARLY_WARNING", "GCN_PRELIM_SENT"),
    when: all(SIGNIFICANT, none("INJ")),
    severity: "error",
    stage: "initial",
  },
  {
    // Its clock starts at the decision itself, which may have been made long before it was due.
    name: "initial",
    words: "initial notice",
    want: "notice IN",
    within: 600,
    from: "ADVOK",
    when: all("ADVOK", none("ADVNO")),
    severity: "error",
    stage: "initial",
  },
  {
    // Without a stage: it ends an alert from any of them.
    name: "retraction",
    words: "retraction",
    want: "notice RE",
    within: 600,
    from: "ADVNO",
    when: all("ADVNO", any("GCN_PRELIM_SENT", "LOW_SIGNIF_PRELIM_SENT", "EARLY_WARNING")),
    severity: "error",
  },
  {
    name: "update",
    words: "update notice",
    want: "notice UP",
    within: 86_400,
    after: ["initial"],
    from: "PE_READY",
    when: all("PE_READY", "ADVOK", none("ADVNO")),
    severity: "warning",
    stage: "update",
  },
];

export const ALERT_GRAPH: Graph<AlertWant> = { stages: ALERT_STAGES, expectations: EXPECTATIONS };

/** The same with times of the site in minutes; without one for the update, none is expected. */
export function alertGraph(times: {
  readonly decision: number;
  readonly update: number | undefined;
}): Graph<AlertWant> {
  const { decision, update } = times;
  const minutes: { readonly [name: string]: number | undefined } = { decision, update };
  const expectations = EXPECTATIONS.flatMap((each) => {
    if (!Object.hasOwn(minutes, each.name)) return each;
    const given = minutes[each.name];
    return given === undefined ? [] : { ...each, within: given * 60 };
  });
  return { ...ALERT_GRAPH, expectations };
}
