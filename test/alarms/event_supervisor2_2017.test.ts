import { describe, expect, test } from "vitest";
import { EVENT_SUPERVISOR2_2017 } from "../../alarms/lib/event_supervisor2_2017.ts";
import { lookFor } from "../../alarms/lib/gracedb_followup_look.ts";
import type { LogEntry } from "../../alarms/lib/gracedb_records.ts";
import { parseGraph } from "../../src/alarm/parse_graph.ts";
import { checkGraph } from "../../src/author/expectations/check_graph.ts";
import { horizon } from "../../src/author/expectations/horizon.ts";
import { judge } from "../../src/author/expectations/judge.ts";
import { toDot } from "../../src/author/expectations/to_dot.ts";
import { knownOf, supereventOf } from "./known_superevent.ts";
import { type RowFacts, supereventRow } from "./superevent_row.ts";

const START = 1_503_000_000;

const file = (at: number, filename: string, ...tags: string[]): LogEntry => ({
  created: START + at,
  filename,
  tags,
  comment: "",
});
const log = (at: number, comment: string): LogEntry => ({
  created: START + at,
  filename: "",
  tags: [],
  comment,
});

/** The states after so many seconds, by name. */
function statesOf(
  row: Partial<RowFacts>,
  logs: readonly LogEntry[],
  seconds: number,
): ReadonlyMap<string, string> {
  const superevent = supereventOf(supereventRow("G1", { created: "", labels: [], ...row }));
  const known = knownOf({ logs });
  const verdicts = judge(
    EVENT_SUPERVISOR2_2017,
    START,
    (want, timed) => lookFor(superevent, known, want, timed, 1),
    START + seconds,
  );
  return new Map(verdicts.map(({ expectation, state }) => [expectation.name, state]));
}

describe("the follow-ups of 2017", () => {
  test("are a graph without faults, which is data", () => {
    expect(checkGraph(EVENT_SUPERVISOR2_2017)).toEqual([]);
    expect(parseGraph(EVENT_SUPERVISOR2_2017, [])).toMatchObject({ faults: [] });
    expect(JSON.parse(JSON.stringify(EVENT_SUPERVISOR2_2017))).toEqual(EVENT_SUPERVISOR2_2017);
  });

  test("end with BayesWave, three days and two minutes after the event", () => {
    expect(horizon(EVENT_SUPERVISOR2_2017)).toBe(259_200 + 120);
  });

  test("are drawn with what comes after what", () => {
    const dot = toDot(EVENT_SUPERVISOR2_2017, "2017");
    expect(dot).toContain('"cbc_psd" -> "bayestar_start";');
    expect(dot).toContain('"bayestar" -> "bayestar_finish";');
    expect(dot).toContain('"idq_start_H1" -> "idq_roc_H1";');
    expect(dot).toContain("when instrument V1");
  });

  const bayestar = [
    file(10, "psd.xml.gz"),
    log(40, "INFO:BAYESTAR:starting sky localization"),
    file(100, "bayestar.fits.gz", "sky_loc", "lvem"),
    log(110, "INFO:BAYESTAR:sky localization complete"),
  ];

  const cases: readonly [
    sentence: string,
    logs: readonly LogEntry[],
    row: Partial<RowFacts>,
    after: number,
    states: { readonly [name: string]: string },
  ][] = [
    [
      "a sky map in time",
      bayestar,
      {},
      400,
      { cbc_psd: "met", bayestar_start: "met", bayestar: "met", bayestar_finish: "met" },
    ],
    [
      "a clock that starts at the message before: a late start is no late map",
      [
        file(10, "psd.xml.gz"),
        log(90, "INFO:BAYESTAR:starting sky localization"),
        file(170, "bayestar.fits.gz", "lvem", "sky_loc"),
      ],
      {},
      400,
      { bayestar_start: "late", bayestar: "met", bayestar_finish: "missing" },
    ],
    [
      "a map with other tags, which event_supervisor2 does not accept",
      [...bayestar.slice(0, 2), file(100, "bayestar.fits.gz", "sky_loc")],
      {},
      400,
      { bayestar: "bad", bayestar_finish: "waiting" },
    ],
    [
      "no spectrum: nothing that needs it is reported",
      [],
      {},
      4000,
      { cbc_psd: "missing", bayestar_start: "waiting", bayestar: "waiting", em_bright: "waiting" },
    ],
    [
      "a burst of cWB: none of what compact binaries need",
      [],
      { group: "Burst", pipeline: "CWB" },
      11,
      {
        cwb_trigger: "missing",
        cbc_psd: "not expected",
        bayestar: "not expected",
        bayeswave_start: "pending",
        lib_start: "pending",
        olib_trigger: "not expected",
      },
    ],
    [
      "too frequent a candidate: no LALInference",
      bayestar,
      { far: 1e-5 },
      4000,
      { lalinference_start: "not expected", lalinference: "not expected" },
    ],
    [
      "iDQ of one detector only",
      [log(20, "Started searching for iDQ information within [1.000, 2.000] at H1")],
      {},
      700,
      {
        idq_start_H1: "met",
        idq_start_L1: "missing",
        idq_min_fap_H1: "missing",
        idq_min_fap_L1: "waiting",
        idq_roc_H1: "pending",
      },
    ],
    [
      "a glitch probability, which needs the file and what the log says of it",
      [
        log(20, "Started searching for iDQ information within [1.000, 2.000] at H1"),
        log(20, "Started searching for iDQ information within [1.000, 2.000] at L1"),
        file(90, "H1_ovl_minFAP_G1-1187000000-4.json"),
        file(90, "L1_ovl_minFAP_G1-1187000000-4.json"),
        log(90, "minimum glitch-FAP for ovl at H1 within [1.000, 2.000] is 1"),
      ],
      {},
      700,
      { idq_min_fap_H1: "met", idq_fap_frames_H1: "missing" },
    ],
    [
      "scans of all channels of one place, and not of another",
      [
        log(5, "automatic OmegaScans begun for: l1_r-reduced, l1_r-standard."),
        log(5, "automatic OmegaScans begun for: h1_r-reduced."),
        file(400, "l1_r-reduced.json"),
      ],
      {},
      1300,
      {
        omega_start_l1: "met",
        omega_start_h1: "missing",
        omega_scan_h1_llhoft: "waiting",
        "omega_scan_l1_r-reduced": "met",
        "omega_scan_l1_r-standard": "missing",
        omega_finish_l1: "missing",
      },
    ],
    [
      "LIB without its last word",
      [
        log(100, "LIB Parameter estimation started."),
        file(9000, "posterior_samples.dat"),
        log(9000, "LIB PE summary"),
        file(9000, "LIB.fits.gz"),
      ],
      { group: "Burst", pipeline: "oLIB" },
      30_000,
      { lib_start: "met", lib: "missing" },
    ],
  ];

  test.each(cases)("%s", (_sentence, logs, row, after, states) => {
    expect(Object.fromEntries(statesOf(row, logs, after))).toMatchObject(states);
  });
});
