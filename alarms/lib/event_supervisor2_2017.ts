import type { Expectation, Graph, Term } from "swf-alarms";
import type { Want } from "./gracedb_followup_look.ts";

const FLAGS = [
  "DMT-ANALYSIS_READY",
  "DMT-OMC_DCPD_ADC_OVERFLOW",
  "DMT-ETMY_ESD_DAC_OVERFLOW",
  "ODC-INJECTION_TRANSIENT",
  "ODC-INJECTION_CBC",
  "ODC-INJECTION_BURST",
  "ODC-INJECTION_DETCHAR",
  "ODC-INJECTION_STOCHASTIC",
  "ODC-INJECTION_CW",
];

/** Scanned at each place, with one message for all its sets. */
const CHANNEL_SETS = {
  cit: ["h1_llhoft", "l1_llhoft", "v1_llhoft"],
  h1: ["h1_r-reduced", "h1_r-standard"],
  l1: ["l1_r-reduced", "l1_r-standard"],
};

/**
 * The follow-ups that LIGO's event_supervisor2 watched in 2017, with its deadlines: an example of a graph. No alarm runs it.
 * Its clocks start at log messages of the event, as there.
 *
 * Left out:
 * - what is not awaited but counted or done: rates, notifications; what was off or never written: the sky viewer, veto definitions
 * - contents of files: sums of sky maps, lengths
 * - the ranks of iDQ in JSON and the ends of the sky map summaries, whose names and texts are not known here
 * - the flag ODC-INJECTION, which other versions list for each detector: the version of the deadlines had 18 flags, and with it
 *   there would be 20
 *
 * Guessed:
 * - the order of the channel sets in the messages of OmegaScan: each may be anywhere behind the colon
 * - the names of iDQ's files and of the flags, which are those of other versions than the deadlines
 * - the last words of LALInference and LIB, as those of their first messages with "finished"
 *
 * Source: reedessick/eventSupervisor, deadlines of d077b76.
 */
export const EVENT_SUPERVISOR2_2017: Graph<Want> = {
  expectations: [
    { name: "far", want: "far", within: 0, owner: "searches" },
    ...creation(),
    {
      name: "external_triggers",
      want: "log Coincidence search complete",
      within: 300,
      owner: "external",
    },
    { name: "unblind_injections", want: "log No unblind injections in window", within: 30 },
    {
      name: "lldq_report",
      want: "log Automatic Data-quality report posted",
      within: 1,
      owner: "data quality",
    },
    ...["H1", "L1"].flatMap(idq),
    ...segments(),
    ...omegaScans(),
    ...skyMaps(),
    ...bayestar(),
    {
      name: "em_bright",
      want: "file Source_Classification_*.json",
      within: 720,
      after: ["cbc_psd"],
      owner: "em bright",
    },
    ...longEstimations(),
  ],
};

function creation(): readonly Expectation<Want>[] {
  const owner = "searches";
  return [
    { name: "cbc_coinc", want: "file coinc.xml", within: 30, when: "group CBC", owner },
    { name: "cbc_psd", want: "file psd.xml.gz", within: 30, when: "group CBC", owner },
    { name: "cwb_trigger", want: "file trigger_*.txt", within: 10, when: "pipeline CWB", owner },
    { name: "olib_trigger", want: "file *.*-*.json", within: 10, when: "pipeline oLIB", owner },
  ];
}

function idq(ifo: string): readonly Expectation<Want>[] {
  const owner = "idq";
  const start = `idq_start_${ifo}`;
  const expect = (name: string, within: number, want: Term<Want>): Expectation<Want> => ({
    name: `idq_${name}_${ifo}`,
    want,
    within,
    after: [start],
    owner,
  });
  return [
    {
      name: start,
      want: `log Started searching for iDQ information within * at ${ifo}`,
      within: 60,
      owner,
    },
    expect("min_fap", 600, {
      all: [`file ${ifo}_ovl_minFAP_*-*.json`, "log minimum glitch-FAP for"],
    }),
    expect("fap_frames", 600, `file ${ifo}_idq_ovl_fap*.gwf`),
    expect("rank_frames", 600, `file ${ifo}_idq_ovl_rank*.gwf`),
    expect("time_series_plot", 600, `file ${ifo}_ovl*_timeseries-*.png`),
    expect("channels", 1200, `file ${ifo}_ovl_chanlist*.json`),
    expect("channels_plot", 1200, `file ${ifo}_ovl*_chanstrip-*.png`),
    expect("calibration", 3000, `file ${ifo}_ovl*_calib-*.json`),
    expect("calibration_plot", 3000, `file ${ifo}_ovl*_calib-*.png`),
    expect("roc", 3000, `file ${ifo}_ovl*_ROC-*.json`),
    expect("roc_plot", 3000, `file ${ifo}_ovl*_ROC-*.png`),
    expect("calibration_times", 3000, `file ${ifo}_ovl*_calibStats-*.json`),
    expect("training_times", 3000, `file ${ifo}_ovl*_trainStats-*.json`),
    expect("finish", 3000, `log Finished searching for iDQ information within * at ${ifo}`),
  ];
}

function segments(): readonly Expectation<Want>[] {
  const more = { after: ["segments_start"], within: 300, owner: "segments" };
  return [
    {
      name: "segments_start",
      want: "log began searching for segments in : ",
      within: 10,
      owner: "segments",
    },
    ...["H1", "L1"].map(
      (ifo): Expectation<Want> => ({
        name: `segments_flags_${ifo}`,
        want: { all: FLAGS.map((flag) => `file ${ifo}-${flag}-*-*.xml.gz` as const) },
        ...more,
      }),
    ),
    { name: "segments_finish", want: "log finished searching for segments in : ", ...more },
    { name: "segments_all_active", want: "file allActive-*-*.json", ...more },
  ];
}

function omegaScans(): readonly Expectation<Want>[] {
  const owner = "omega scans";
  return Object.entries(CHANNEL_SETS).flatMap(([place, sets]): readonly Expectation<Want>[] => {
    const start = `omega_start_${place}`;
    const more = { within: 1200, after: [start], owner };
    const log = (what: string): Term<Want> => ({
      all: sets.map((set) => `log automatic OmegaScans ${what} for: *${set}` as const),
    });
    return [
      { name: start, want: log("begun"), within: 10, owner },
      ...sets.map((set) => ({
        name: `omega_scan_${set}`,
        want: `file ${set}.json` as const,
        ...more,
      })),
      { name: `omega_finish_${place}`, want: log("finished"), ...more },
    ];
  });
}

function skyMaps(): readonly Expectation<Want>[] {
  const from = { any: ["file *.fits", "file *.fits.gz"] } as const;
  const owner = "sky maps";
  return [
    // Of any name: a graph cannot say that it is that of the map.
    { name: "sky_map_plot", want: "file *.png", within: 60, from, owner },
    {
      name: "summary_start",
      want: "log started skymap summary for",
      within: 120,
      from,
      owner,
    },
    {
      name: "summary",
      want: "file *-skymapSummary.html",
      within: 600,
      after: ["summary_start"],
      owner,
    },
    {
      name: "comparison_start",
      want: "log started skymap comparison for",
      within: 120,
      after: ["summary"],
      owner,
    },
    {
      name: "comparison",
      want: "file *-skymapComparison.html",
      within: 600,
      after: ["comparison_start"],
      owner,
    },
  ];
}

function bayestar(): readonly Expectation<Want>[] {
  const owner = "bayestar";
  return [
    {
      name: "bayestar_start",
      want: "log INFO:BAYESTAR:starting sky localization",
      within: 60,
      after: ["cbc_psd"],
      owner,
    },
    {
      name: "bayestar",
      want: "file bayestar.fits.gz tagged sky_loc lvem",
      within: 90,
      after: ["bayestar_start"],
      owner,
      severity: "error",
    },
    {
      name: "bayestar_finish",
      want: "log sky localization complete",
      within: 90,
      after: ["bayestar"],
      owner,
    },
    {
      name: "bayestar_no_virgo",
      want: "file bayestar_no_virgo.fits.gz",
      within: 150,
      after: ["cbc_psd"],
      when: "instrument V1",
      owner,
    },
  ];
}

/** Parameter estimations, which take hours or days. */
function longEstimations(): readonly Expectation<Want>[] {
  return [
    {
      name: "lalinference_start",
      want: "log LALInference online parameter estimation started",
      within: 3600,
      when: { all: ["group CBC", "far up to 1.65e-6"] },
      owner: "lalinference",
    },
    {
      // The original waited for a text that no program wrote, so that this was never checked.
      name: "lalinference",
      want: {
        all: ["file LALInference.fits.gz", "log LALInference online parameter estimation finished"],
      },
      within: 172_800,
      after: ["lalinference_start"],
      owner: "lalinference",
    },
    {
      name: "bayeswave_start",
      want: "log BayesWave launched",
      within: 120,
      when: "group Burst",
      owner: "bayeswave",
    },
    {
      name: "bayeswave",
      want: {
        all: [
          "log BWB Follow-up results",
          "log BWB parameter estimation",
          "log BWB Bayes Factors",
          "file BayesWave.fits.gz",
        ],
      },
      within: 259_200,
      after: ["bayeswave_start"],
      owner: "bayeswave",
    },
    {
      name: "cwb_estimation",
      want: {
        all: [
          "log cWB CED",
          "log cWB parameter estimation",
          "file skyprobcc_cWB.fits tagged sky_loc lvem",
        ],
      },
      within: 120,
      when: "pipeline CWB",
      owner: "cwb",
    },
    {
      name: "lib_start",
      want: "log LIB Parameter estimation started.",
      within: 300,
      when: {
        any: [
          { all: ["pipeline CWB", "far up to 0.000278"] },
          { all: ["pipeline oLIB", "far up to 0.0167"] },
        ],
      },
      owner: "lib",
    },
    {
      name: "lib",
      want: {
        all: [
          "file posterior_samples.dat",
          "log LIB PE summary",
          "file LIB.fits.gz",
          "log LIB Parameter estimation finished.",
        ],
      },
      within: 21_600,
      after: ["lib_start"],
      owner: "lib",
    },
  ];
}
