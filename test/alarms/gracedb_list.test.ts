import { expect, onTestFinished, test } from "vitest";
import { isDayOlder } from "../../alarms/lib/gracedb_list.ts";
import { parseUtc } from "../../src/text/utc.ts";
import { startGracedb } from "./gracedb_server.ts";
import { keysOf, runAlarm } from "./run_alarm.ts";
import { supereventRow } from "./superevent_row.ts";

test.each([
  ["of the day before the look-back", "S230828zz", true],
  ["of the day in which it begins, as the superevent may be older", "MS230829a", true],
  ["of a later day", "S230830a", false],
  ["without a day", "x", true],
])("a superevent %s", (_sentence, id, expected) => {
  expect(isDayOlder(id, 2 * 86_400, parseUtc("2023-08-31 08:00:00 UTC") ?? 0)).toBe(expected);
});

const ROW = { created: "2023-08-31 08:00:00 UTC", labels: [] };

/** Superevents that are counted, of pages of two rows, and the pages that were requested. */
async function counted(rows: readonly ReturnType<typeof supereventRow>[]) {
  const server = await startGracedb(rows, 2);
  onTestFinished(() => server.close());
  const outcome = await runAlarm({
    alarm: "gracedb_event_rate",
    params: { max_events: 0 },
    sources: { gracedb: server.url },
    now: parseUtc("2023-08-31 09:00:00 UTC") ?? 0,
  });
  return {
    ...keysOf(outcome),
    count: outcome.detections[0]?.data?.metric,
    pages: server.requests.length,
  };
}

test("a row that comes twice, as it moved to the next page, counts once", async () => {
  const rows = ["S3", "S2", "S2", "S1"].map((id) => supereventRow(id, ROW));
  expect(await counted(rows)).toMatchObject({ count: 3 });
});

test("a service that does not know the query is read up to the first row that is too old", async () => {
  const old = { ...ROW, created: "2023-08-30 08:00:00 UTC" };
  const rows = Array.from({ length: 20 }, (_, index) =>
    supereventRow(`S${index}`, index < 3 ? ROW : old),
  );
  const { pages, ...rest } = await counted(rows);
  expect(rest).toMatchObject({ status: "complete", count: 3 });
  expect(pages).toBeLessThan(5);
});

test("a row whose time cannot be read does not end the list", async () => {
  const rows = [supereventRow("S2", { ...ROW, created: "soon" }), supereventRow("S1", ROW)];
  expect(await counted(rows)).toMatchObject({ status: "partial", count: 1 });
});

test("one without a readable category counts: better reported than missed", async () => {
  const rows = [
    { ...supereventRow("S2", ROW), category: null },
    supereventRow("S1", { ...ROW, category: "MDC" }),
  ];
  expect(await counted(rows)).toMatchObject({ status: "complete", count: 1 });
});
