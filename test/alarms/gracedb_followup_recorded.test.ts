import { afterEach, describe, expect, test } from "vitest";
import { GRAPH } from "../../alarms/gracedb_followup.ts";
import { lookFor } from "../../alarms/lib/gracedb_followup_look.ts";
import { NOTHING_KNOWN } from "../../alarms/lib/gracedb_known.ts";
import { replay } from "../../src/author/expectations/replay.ts";
import type { JsonObject } from "../../src/text/json.ts";
import { parseUtc } from "../../src/text/utc.ts";
import { type GracedbServer, recordedSuperevents, startGracedb } from "./gracedb_server.ts";
import { supereventOf } from "./known_superevent.ts";
import { keysOf, runAlarm } from "./run_alarm.ts";

let gracedb: GracedbServer | undefined;
afterEach(async () => {
  await gracedb?.close();
  gracedb = undefined;
});

async function run(rows: readonly JsonObject[], at: string, categories: readonly string[]) {
  gracedb = await startGracedb(rows, 30);
  const outcome = await runAlarm({
    alarm: "gracedb_followup",
    params: { categories: [...categories] },
    sources: { gracedb: gracedb.url },
    now: parseUtc(at) ?? 0,
  });
  return { outcome, requests: gracedb.requests };
}

/** The row without these labels, on the superevent and its preferred event. */
function unlabelled(row: JsonObject, labels: readonly string[]): JsonObject {
  const keep = (value: unknown): string[] =>
    Array.isArray(value)
      ? value.filter((each): each is string => typeof each === "string" && !labels.includes(each))
      : [];
  const { preferred_event_data: preferred } = row;
  const event = typeof preferred === "object" && preferred !== null ? preferred : {};
  return {
    ...row,
    labels: keep(row.labels),
    preferred_event_data: { ...event, labels: keep("labels" in event ? event.labels : []) },
  };
}

const LISTS = [
  { name: "4242c4c", at: "2023-08-31 09:04:11 UTC", production: 15 },
  { name: "7ab5bfa", at: "2023-09-26 02:36:47 UTC", production: 13 },
] as const;

for (const { name, at, production } of LISTS) {
  const rows = recordedSuperevents(name) ?? [];
  if (rows.length === 0) console.log(`skipped: no recorded list ${name} beside this checkout`);

  describe.skipIf(rows.length === 0)(`on the recorded list ${name}`, () => {
    test.each([["Production"], ["MDC"]])(
      "all %s superevents have what they need: nothing is reported",
      async (category) => {
        const { outcome, requests } = await run(rows, at, [category]);
        expect(keysOf(outcome)).toEqual({ status: "complete", keys: [] });
        expect(outcome.scopes.size).toBe(0);
        // The list is all that it asks for.
        expect(requests).toHaveLength(2);
        console.log(`${name}, ${category}: ${requests.length} requests in a tick`);
      },
    );

    test("replayed every 1, 5 and 15 minutes, nothing is reported either", () => {
      const end = parseUtc(at) ?? 0;
      for (const row of rows) {
        const superevent = supereventOf(row);
        const start = superevent.created ?? 0;
        for (const minutes of [1, 5, 15]) {
          const ticks = Math.floor((end - start) / (minutes * 60));
          const times = Array.from({ length: ticks }, (_, index) => start + index * minutes * 60);
          const verdicts = replay(
            GRAPH,
            start,
            (want, timed) => lookFor(superevent, NOTHING_KNOWN, want, timed, 2 / 86_400),
            times,
          ).flat();
          expect(
            verdicts.filter(({ state }) => ["missing", "bad", "late", "unknown"].includes(state)),
          ).toEqual([]);
        }
      }
    });

    test("if none had a label, each would be reported, within the limit of 300 requests a minute", async () => {
      const bare = rows.map((row) =>
        unlabelled(row, ["SKYMAP_READY", "EMBRIGHT_READY", "PASTRO_READY", "EM_READY"]),
      );
      const { outcome, requests } = await run(bare, at, ["Production", "MDC"]);
      expect(
        outcome.detections.filter(({ dedupeKey }) => dedupeKey.endsWith("sky_map")),
      ).toHaveLength(50);
      // Two pages, and one log of each superevent.
      expect(requests).toHaveLength(52);
      console.log(`${name}, without any label: ${requests.length} requests in a tick`);
    });

    test("there are as many of production as were counted", () => {
      expect(rows.filter(({ category }) => category === "Production")).toHaveLength(production);
    });
  });
}

const first = recordedSuperevents("4242c4c") ?? [];

describe.skipIf(first.length === 0)("if these labels of the recorded list were missing", () => {
  const missing: { readonly [id: string]: readonly string[] } = {
    S230830q: ["PASTRO_READY", "EM_READY"],
    S230830d: ["EMBRIGHT_READY"],
    S230831k: ["SKYMAP_READY", "EM_READY"],
    S230831aa: ["EM_READY"],
    // Ten minutes old: only what is due by then.
    S230831ar: ["SKYMAP_READY", "EMBRIGHT_READY", "PASTRO_READY", "EM_READY"],
    MS230831h: ["SKYMAP_READY"],
  };
  const rows = first.map((row) => unlabelled(row, missing[String(row.superevent_id)] ?? []));

  test("exactly these are reported", async () => {
    const { outcome, requests } = await run(rows, "2023-08-31 08:34:03 UTC", ["Production"]);
    expect(keysOf(outcome)).toEqual({
      status: "complete",
      keys: [
        "S230831ar:sky_map",
        "S230831ar:p_astro",
        "S230831aa:complete",
        "S230831k:sky_map",
        "S230830q:p_astro",
        "S230830d:em_bright",
      ],
    });
    // Two pages, the logs of what lacks a product, and when the products of S230831aa came, by labels and files.
    expect(requests).toHaveLength(8);
  });
});
