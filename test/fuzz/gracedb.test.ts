import fc from "fast-check";
import { expect, test } from "vitest";
import * as alertFlow from "../../alarms/gracedb_alert_flow.ts";
import * as gracedb from "../../alarms/gracedb_awaiting_decision.ts";
import * as eventRate from "../../alarms/gracedb_event_rate.ts";
import * as followup from "../../alarms/gracedb_followup.ts";
import * as heartbeat from "../../alarms/gracedb_heartbeat.ts";
import * as labelConsistency from "../../alarms/gracedb_label_consistency.ts";
import type { AlarmClient } from "../../src/source/client/client.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../src/text/json.ts";
import { detect, fieldNames, value } from "./alarm_runs.ts";
import { mutate, mutations } from "./arbitraries.ts";
import { runs } from "./runs.ts";

const SUPEREVENT: JsonObject = {
  superevent_id: "S231114a",
  category: "Production",
  created: "2023-11-14 20:00:00 UTC",
  far: 1e-9,
  labels: ["ADVREQ", "EM_READY"],
  preferred_event_data: { group: "CBC", pipeline: "gstlal" },
};
const SUPEREVENTS: JsonValue = {
  superevents: [SUPEREVENT],
  links: { next: null, self: "http://gracedb.example/api/superevents/" },
};
const LABELS: JsonValue = {
  labels: [{ name: "ADVREQ", created: "2023-11-14 20:10:00 UTC" }],
  links: {},
};
const GRACEDB = { waiting_minutes: 30, query: "label: ADVREQ", categories: undefined };

const name = fieldNames(SUPEREVENT, { superevents: [], name: "", comment: "", filename: "" });

test("GraceDB's answers, whatever is in them: detections that can be stored, and reasons", async () => {
  const odd = fc.constantFrom<JsonValue[]>(
    "..",
    "../x",
    "\ud800",
    "a/b",
    "a\nb",
    "ADVREQ",
    "ADVOK",
    "?",
  );
  await fc.assert(
    fc.asyncProperty(
      mutations(fc.oneof(value, odd), name, 2),
      fc.option(mutations(fc.oneof(value, odd), name, 2), { nil: undefined }),
      async (listChanges, labelChanges) => {
        const list = mutate(SUPEREVENTS, listChanges);
        const labels = labelChanges === undefined ? undefined : mutate(LABELS, labelChanges);
        const { keys, reasons } = await detect(
          (client) => gracedb.detect(client, GRACEDB),
          (path) => (path === "superevents/" ? list : labels),
        );
        const [row] = isJsonObject(list) && Array.isArray(list.superevents) ? list.superevents : [];
        if (row === undefined || labels !== undefined) return;
        // Without label records, a superevent that waits is told unless something is said.
        if (JSON.stringify(row) === JSON.stringify(SUPEREVENT))
          expect(keys.includes("superevent:S231114a") || reasons.length > 0).toBe(true);
      },
    ),
    runs(10),
  );
});

/** A confirmed superevent without its initial notice. */
const CONFIRMED: JsonObject = {
  ...SUPEREVENT,
  labels: ["SKYMAP_READY", "EM_READY", "SIGNIF_LOCKED", "DQOK", "GCN_PRELIM_SENT", "ADVOK"],
  preferred_event_data: { group: "Burst", pipeline: "cwb" },
};
const CONFIRMED_LABELS: JsonValue = {
  labels: [
    { name: "SIGNIF_LOCKED", created: "2023-11-14 20:01:00 UTC" },
    { name: "ADVOK", created: "2023-11-14 20:10:00 UTC" },
  ],
};
const MOCK: JsonObject = { ...SUPEREVENT, category: "MDC", labels: [] };
const NOTICES: JsonValue = {
  numRows: 1,
  voevents: [{ voevent_type: "PR", created: "2023-11-14 20:05:00 UTC", N: 1 }],
};
const LOG: JsonValue = {
  numRows: 1,
  log: [{ comment: "", created: "2023-11-14 20:05:00 UTC", filename: "x.fits", tag_names: [] }],
};
const WHICH = { look_back_hours: 72, categories: [], far_limit: 1e-4 };

interface Watched {
  readonly alarm: string;
  readonly run: (client: AlarmClient) => AsyncIterable<unknown>;
  readonly row: JsonObject;
  /** What is reported of it. */
  readonly key: string;
  /** Responses by the end of their path. */
  readonly intact: { readonly [end: string]: JsonValue };
  /** Those in which anything may be wrong. */
  readonly odd: { readonly [end: string]: JsonValue };
}

const WATCHED: readonly Watched[] = [
  {
    alarm: "gracedb_followup",
    run: (client) => followup.detect(client, { ...WHICH, owners: [] }),
    row: SUPEREVENT,
    key: "S231114a:sky_map",
    intact: {},
    odd: { "labels/": LABELS, "logs/": LOG },
  },
  {
    alarm: "gracedb_alert_flow",
    run: (client) =>
      alertFlow.detect(client, { ...WHICH, decision_minutes: 60, update_minutes: 60 }),
    row: CONFIRMED,
    key: "S231114a:initial",
    intact: { "labels/": CONFIRMED_LABELS },
    odd: { "voevents/": NOTICES, "logs/": LOG },
  },
  {
    alarm: "gracedb_label_consistency",
    run: (client) => labelConsistency.detect(client, { ...WHICH, grace_minutes: 15 }),
    row: SUPEREVENT,
    key: "S231114a:label_without_file",
    intact: {},
    odd: { "files/": { "em_bright.json": "", "p_astro.json": "" } },
  },
  {
    alarm: "gracedb_event_rate",
    run: (client) =>
      eventRate.detect(client, { window_seconds: 10_000, max_events: 0, categories: [] }),
    row: SUPEREVENT,
    key: "rate:CBC:gstlal",
    intact: {},
    odd: {},
  },
  {
    alarm: "gracedb_heartbeat",
    run: (client) => heartbeat.detect(client, { event_minutes: 70, notice_minutes: 90, newest: 3 }),
    row: MOCK,
    key: "mock_notice",
    intact: {},
    odd: { "voevents/": NOTICES },
  },
];

test.each(WATCHED)(
  "$alarm: whatever is in GraceDB's answers, detections that can be stored, and reasons",
  async ({ run, row, key, intact, odd }) => {
    const answers = (list: JsonValue, others: Watched["odd"]) => (path: string) => {
      if (path === "superevents/") return list;
      const end = path.replace(/^.*\/(?=\w+\/$)/, "");
      return others[end] ?? intact[end];
    };
    const list: JsonValue = { superevents: [row], links: { next: null } };
    expect((await detect(run, answers(list, odd))).keys).toContain(key);
    await fc.assert(
      fc.asyncProperty(
        mutations(value, name, 2),
        mutations(value, name, 3),
        async (listChanges, oddChanges) => {
          const changed = Object.fromEntries(
            Object.entries(odd).map(([end, answer]) => [end, mutate(answer, oddChanges)]),
          );
          const { keys, reasons } = await detect(run, answers(list, changed));
          // It is told, or it is told why that is not known.
          expect(keys.includes(key) || reasons.length > 0).toBe(true);
          await detect(run, answers(mutate(list, listChanges), changed));
        },
      ),
      runs(3),
    );
  },
);

test("a superevent whose needed field is missing or of another type is never passed over in silence", async () => {
  // An integer beyond 2^53 arrives as a string.
  const isLong = (item: unknown): boolean =>
    typeof item === "number" && Math.abs(item) > Number.MAX_SAFE_INTEGER;
  const wrong = value.filter(
    (item) => typeof item !== "string" && !Array.isArray(item) && !isLong(item),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom("superevent_id", "labels", "created"),
      fc.option(wrong, { nil: undefined }),
      async (field, item) => {
        const { [field]: _, ...rest } = SUPEREVENT;
        const row: JsonObject = item === undefined ? rest : { ...rest, [field]: item };
        const { reasons } = await detect(
          (client) => gracedb.detect(client, GRACEDB),
          (path) =>
            path === "superevents/" ? { superevents: [row], links: { next: null } } : undefined,
        );
        expect(reasons).not.toEqual([]);
      },
    ),
    runs(5),
  );
});
