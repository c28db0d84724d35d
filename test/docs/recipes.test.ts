import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { type AlarmTest, type TestRequest, testAlarm } from "../../src/testing.ts";
import { docExample } from "../support/doc_examples.ts";

const NOW = "2026-11-27T18:00:00Z";
const DOWN = { status: 503, body: "down for maintenance" };
const GONE = { status: 404, body: { detail: "Not found." } };
const PROXY_404 = {
  status: 404,
  body: "<html>404 Not Found</html>",
  headers: { "content-type": "text/html" },
};

/** What a run would do to the events that are firing. */
interface Row extends AlarmTest {
  readonly firing?: readonly string[];
  readonly detects: readonly string[];
  /** Of the firing events; no others end. */
  readonly ends?: readonly string[];
  /** Parts of what it reports; nothing else is reported. */
  readonly reports?: readonly string[];
}

/** Runs the module of docs/recipes.md as it stands there. */
async function run(recipe: string, test: AlarmTest) {
  const source = docExample(recipe);
  const folder = mkdtempSync(join(tmpdir(), "swf-alarms-recipe-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, "alarms"));
  const path = join(folder, /^\/\/ (alarms\/[a-z_]+\.ts)\n/.exec(source)?.[1] ?? "no name");
  writeFileSync(path, source);
  return await testAlarm(path, { now: NOW, ...test });
}

function check(recipe: string, rows: readonly (readonly [string, Row])[]): void {
  describe(recipe, () => {
    test.for(rows)("%s", async ([, { detects, ends = [], reports = [], ...given }]) => {
      const { status, reasons, scopes, detections, clears, notes } = await run(recipe, given);
      const keys = detections.map(({ dedupeKey }) => dedupeKey);
      const isKept = (key: string): boolean =>
        status !== "complete" || scopes.some(({ prefix }) => key.startsWith(prefix));
      expect({
        keys,
        ends: (given.firing ?? []).filter((key) => !keys.includes(key) && !isKept(key)),
        reports: [...reasons, ...scopes.map(({ reason }) => reason)],
        clears,
        notes,
      }).toEqual({
        keys: detects,
        ends,
        reports: reports.map((part) => expect.stringContaining(part)),
        clears: [],
        notes: [],
      });
    });
  });
}

const disk = (percent: unknown) => [{ name: "sda", percent }];
check("two limits", [
  ["fires from the upper limit on", { responses: { "/disks/": disk(90) }, detects: ["disk:sda"] }],
  [
    "a disk between the limits is quiet until it fires",
    { responses: { "/disks/": disk(85) }, detects: [] },
  ],
  [
    "a disk between the limits goes on firing",
    { responses: { "/disks/": disk(80) }, firing: ["disk:sda"], detects: ["disk:sda"] },
  ],
  [
    "ends below the lower limit",
    { responses: { "/disks/": disk(79) }, firing: ["disk:sda"], detects: [], ends: ["disk:sda"] },
  ],
  [
    "nothing ends while the service is down",
    {
      responses: { "/disks/": DOWN },
      firing: ["disk:sda"],
      detects: [],
      reports: ["status 503"],
    },
  ],
  [
    "a percentage that is missing is not a low one",
    {
      responses: { "/disks/": disk(undefined) },
      firing: ["disk:sda"],
      detects: [],
      reports: ["sda has the percentage undefined"],
    },
  ],
  [
    "an empty list ends nothing",
    {
      responses: { "/disks/": [] },
      firing: ["disk:sda"],
      detects: [],
      reports: ["the list of disks is empty"],
    },
  ],
  [
    "limits in the wrong order are an error",
    {
      params: { from: 50 },
      responses: { "/disks/": disk(79) },
      firing: ["disk:sda"],
      detects: [],
      reports: ["until is 80; it must not be above from, 50"],
    },
  ],
]);

const streams = (raw: object, calibration: object = [{ created: "2026-11-27T17:59:00Z" }]) => ({
  "/files/?stream=raw": raw,
  "/files/?stream=calibration": calibration,
});
check("age of the newest item", [
  [
    "is quiet while one file is new, whatever the order of the list",
    {
      responses: streams([{ created: "2026-11-27T09:00:00" }, { created: "2026-11-27T17:40:00" }]),
      firing: ["stream:raw"],
      detects: [],
      ends: ["stream:raw"],
    },
  ],
  [
    "fires where all files are old",
    { responses: streams([{ created: "2026-11-27T17:29:00Z" }]), detects: ["stream:raw"] },
  ],
  ["fires where there is no file at all", { responses: streams([]), detects: ["stream:raw"] }],
  [
    "a time that cannot be read is neither old nor new",
    {
      responses: streams([{ created: "2026-11-27T09:00:00" }, { created: "yesterday" }]),
      firing: ["stream:raw"],
      detects: [],
      reports: ["the newest files of raw have a time that cannot be right"],
    },
  ],
  [
    "local time of the east is not fresh",
    {
      responses: streams([{ created: "2026-11-27T18:59:00" }]),
      firing: ["stream:raw"],
      detects: [],
      reports: ["the newest files of raw have a time that cannot be right"],
    },
  ],
  [
    "nothing ends where the list of one stream fails",
    {
      responses: streams([{ created: "2026-11-27T17:59:00Z" }], DOWN),
      firing: ["stream:raw", "stream:calibration"],
      detects: [],
      reports: ["status 503"],
    },
  ],
]);

/** A list of jobs; of each site so many have failed and finished, and one still runs. */
function jobs(
  sites: { readonly [site: string]: readonly [failed: number, finished: number] },
  ...more: object[]
) {
  const statuses = Object.entries(sites).flatMap(([site, [failed, finished]]) => [
    ...Array.from({ length: failed }, () => ({ site, status: "failed" })),
    ...Array.from({ length: finished }, () => ({ site, status: "finished" })),
    { site, status: "running" },
  ]);
  const items = [...statuses.map((job, at) => ({ id: 1000 - at, ...job })), ...more];
  return { "/jobs/": { items, has_more: false, next_before_id: null } };
}
check("failure rate by site", [
  [
    "fires by the bound, and not on few jobs",
    { responses: jobs({ A: [40, 60], B: [1, 0], C: [2, 12] }), detects: ["site:A"] },
  ],
  [
    "goes on while the rate itself is too high",
    {
      responses: jobs({ A: [1, 4], B: [1, 20] }),
      firing: ["site:A", "site:B"],
      detects: ["site:A"],
      ends: ["site:B"],
    },
  ],
  [
    "goes on where no job has ended",
    { responses: jobs({ A: [0, 0] }), firing: ["site:A", "site:B"], detects: ["site:A", "site:B"] },
  ],
  [
    "nothing ends while the service is down",
    { responses: { "/jobs/": DOWN }, firing: ["site:A"], detects: [], reports: ["status 503"] },
  ],
  [
    "jobs without a status are not finished",
    {
      responses: jobs({ A: [0, 1] }, { id: 1, site: "A" }),
      firing: ["site:A"],
      detects: [],
      reports: ["a job of A has no status"],
    },
  ],
]);

const host = (name: string, last_seen: string) => ({ name, last_seen });
const HOSTS = { hosts: ["daq1", "daq2"] };
check("expected hosts", [
  [
    "is quiet while all report, under whatever spelling",
    {
      params: HOSTS,
      responses: {
        "/hosts/": [
          host("DAQ1.example.org", "2026-11-27T17:59:00"),
          host("daq2", "2026-11-27T17:50:00Z"),
        ],
      },
      firing: ["host:daq1"],
      detects: [],
      ends: ["host:daq1"],
    },
  ],
  [
    "fires for one that is not listed, and for one that was seen long ago",
    {
      params: HOSTS,
      responses: { "/hosts/": [host("daq2", "2026-11-27T17:00:00")] },
      detects: ["host:daq1", "host:daq2"],
    },
  ],
  [
    "a time that cannot be read neither fires nor ends",
    {
      params: HOSTS,
      responses: { "/hosts/": [host("daq1", "2026-11-27T17:59:00"), host("daq2", "never")] },
      firing: ["host:daq2"],
      detects: [],
      reports: ["daq2 was last seen at never"],
    },
  ],
  [
    "an empty list makes no host missing",
    {
      params: HOSTS,
      responses: { "/hosts/": [] },
      firing: ["host:daq2"],
      detects: [],
      reports: ["the list of hosts is empty"],
    },
  ],
  [
    "nothing ends while the service is down",
    {
      params: HOSTS,
      responses: { "/hosts/": DOWN },
      firing: ["host:daq2"],
      detects: [],
      reports: ["status 503"],
    },
  ],
]);

const SECONDS = Date.parse(NOW) / 1000;
const hoursAgo = (hours: number) => SECONDS - 3600 * hours;
const sample = (hours: number, used: { [area: string]: number }) => ({ at: hoursAgo(hours), used });
const remembered = (...value: ReturnType<typeof sample>[]) => ({ at: hoursAgo(0.1), value });
check("yesterday's value", [
  [
    "fires where it grew since yesterday, and not since an hour ago or the day before",
    {
      previous: remembered(
        sample(25.5, { raw: 9, reco: 50 }),
        sample(24.5, { raw: 50, reco: 50 }),
        sample(1, { raw: 59, reco: 9 }),
      ),
      responses: { "/storage/used/": { raw: 56, reco: 54, simulation: 3 } },
      firing: ["area:reco"],
      detects: ["area:raw"],
      ends: ["area:reco"],
    },
  ],
  [
    "the first tick has nothing to compare with, and reports nothing",
    { responses: { "/storage/used/": { raw: 50 } }, detects: [] },
  ],
  [
    "after an outage of a day the events stay",
    {
      previous: remembered(sample(50, { raw: 50 }), sample(27, { raw: 50 })),
      responses: { "/storage/used/": { raw: 50 } },
      firing: ["area:raw"],
      detects: [],
      reports: ["nothing is known of yesterday"],
    },
  ],
  [
    "an error in place of the values ends nothing",
    {
      previous: remembered(sample(24.5, { raw: 50 })),
      responses: { "/storage/used/": { error: "database is down" } },
      firing: ["area:raw"],
      detects: [],
      reports: ["database is down"],
    },
  ],
  [
    "nothing ends while the service is down",
    {
      previous: remembered(sample(24.5, { raw: 50 })),
      responses: { "/storage/used/": DOWN },
      firing: ["area:raw"],
      detects: [],
      reports: ["status 503"],
    },
  ],
  [
    "an empty response ends nothing",
    {
      previous: remembered(sample(24.5, { raw: 50 })),
      responses: { "/storage/used/": {} },
      firing: ["area:raw"],
      detects: [],
      reports: ["the areas use {}"],
    },
  ],
]);

test("yesterday's value: remembers one sample for each hour of a day, and none of a service that is down", async () => {
  const memoryOf = async (answer: object, ...samples: ReturnType<typeof sample>[]) => {
    const responses = { "/storage/used/": answer };
    return (await run("yesterday's value", { previous: remembered(...samples), responses })).memory;
  };
  const [old, dayOld, fresh] = [sample(26, {}), sample(25, {}), sample(0.5, {})];
  const now = sample(0, { raw: 5 });
  expect(await memoryOf({ raw: 5 }, old, dayOld)).toEqual([dayOld, now]);
  expect(await memoryOf({ raw: 5 }, dayOld, fresh)).toEqual([dayOld, fresh]);
  expect(await memoryOf(DOWN, dayOld)).toBeUndefined();
  expect(await memoryOf({ error: "database is down" }, dayOld)).toBeUndefined();
});

const runs = (...names: string[]) => names.map((name) => ({ name, ended: "2026-11-27T12:00:00" }));
check("two services", [
  [
    "fires for a run that the catalog does not know, and ends when it does",
    {
      responses: {
        "/runs/": [...runs("a/1", "b"), { name: "new", ended: "2026-11-27T17:30:00" }],
        catalog: { "datasets/a%2F1": GONE, "datasets/b": { files: 3 } },
      },
      firing: ["run:b"],
      detects: ["run:a/1"],
      ends: ["run:b"],
    },
  ],
  [
    "a run that has left the list fires until its data is there",
    {
      responses: { "/runs/": [], catalog: { "datasets/a": GONE } },
      firing: ["run:a"],
      detects: ["run:a"],
    },
  ],
  [
    "nothing ends where one of the services is down",
    {
      responses: { "/runs/": DOWN, catalog: { "datasets/a": { files: 3 } } },
      firing: ["run:a"],
      detects: [],
      reports: ["status 503"],
    },
  ],
  [
    "the page of a proxy is not an answer of the catalog",
    {
      responses: { "/runs/": runs("a"), catalog: { "datasets/a": PROXY_404 } },
      firing: ["run:a", "run:b"],
      detects: [],
      reports: ["not from the service itself"],
    },
  ],
  [
    "a run whose end cannot be read ends nothing",
    {
      responses: {
        "/runs/": [...runs("a"), { name: "b", ended: null }],
        catalog: { "datasets/a": { files: 3 } },
      },
      firing: ["run:a"],
      detects: [],
      reports: ["run b has the end null"],
    },
  ],
]);

const OFFLINE = [{ name: "BNL", reason: "power" }];
/** Only for the question that the recipe asks. */
const graphql =
  (answer: unknown) =>
  ({ method, body }: TestRequest) => {
    expect({ method, body }).toMatchObject({
      method: "POST",
      body: {
        query: expect.stringContaining("sites(state: $state)"),
        variables: { state: "offline" },
      },
    });
    return answer;
  };
check("graphql", [
  [
    "fires for what the query finds, and ends the others",
    {
      responses: { "/graphql": graphql({ data: { sites: OFFLINE } }) },
      firing: ["site:JLAB"],
      detects: ["site:BNL"],
      ends: ["site:JLAB"],
    },
  ],
  [
    "is quiet where it finds none",
    {
      responses: { "/graphql": graphql({ data: { sites: [] } }) },
      firing: ["site:JLAB"],
      detects: [],
      ends: ["site:JLAB"],
    },
  ],
  [
    "errors with status 200 end nothing",
    {
      responses: { "/graphql": { data: null, errors: [{ message: "no such field" }] } },
      firing: ["site:JLAB"],
      detects: [],
      reports: ["GraphQL: no such field", "GraphQL sent no sites"],
    },
  ],
  [
    "half of the data ends nothing",
    {
      responses: { "/graphql": { data: { sites: OFFLINE }, errors: [{ message: "timeout" }] } },
      firing: ["site:JLAB"],
      detects: ["site:BNL"],
      reports: ["GraphQL: timeout"],
    },
  ],
  [
    "a wrong path ends nothing",
    {
      responses: { "/graphql": GONE },
      firing: ["site:JLAB"],
      detects: [],
      reports: ["status 404"],
    },
  ],
  [
    "nothing ends while the service is down",
    {
      responses: { "/graphql": DOWN },
      firing: ["site:JLAB"],
      detects: [],
      reports: ["status 503"],
    },
  ],
  [
    "null in place of the sites ends nothing",
    {
      responses: { "/graphql": { data: { sites: null } } },
      firing: ["site:JLAB"],
      detects: [],
      reports: ["GraphQL sent no sites"],
    },
  ],
]);

const found = (counts: { readonly [service: string]: number }, more: object = {}, others = 0) => ({
  "/logs-*/_search": {
    timed_out: false,
    _shards: { total: 5, successful: 5, skipped: 0, failed: 0 },
    aggregations: {
      services: {
        doc_count_error_upper_bound: 0,
        sum_other_doc_count: others,
        buckets: Object.entries(counts).map(([key, doc_count]) => ({ key, doc_count })),
      },
    },
    ...more,
  },
});
check("opensearch", [
  [
    "fires from a hundred errors on, and ends below",
    {
      responses: found({ broker: 100, web: 99 }),
      firing: ["service:web"],
      detects: ["service:broker"],
      ends: ["service:web"],
    },
  ],
  [
    "is quiet where nothing is logged",
    { responses: found({}), firing: ["service:web"], detects: [], ends: ["service:web"] },
  ],
  [
    "a search that timed out ends nothing",
    {
      responses: found({ broker: 100 }, { timed_out: true }),
      firing: ["service:web"],
      detects: ["service:broker"],
      reports: ["timed out: true"],
    },
  ],
  [
    "a lost shard ends nothing",
    {
      responses: found({}, { _shards: { total: 5, failed: 1 } }),
      firing: ["service:web"],
      detects: [],
      reports: ['shards: {"total":5,"failed":1}'],
    },
  ],
  [
    "no index of this name ends nothing",
    {
      responses: found({}, { _shards: { total: 0, failed: 0 } }),
      firing: ["service:web"],
      detects: [],
      reports: ['shards: {"total":0,"failed":0}'],
    },
  ],
  [
    "services that are not listed end nothing",
    {
      responses: found({ broker: 100 }, {}, 7),
      firing: ["service:web"],
      detects: ["service:broker"],
      reports: ["7 errors are of services that are not listed"],
    },
  ],
  [
    "nothing ends while the service is down",
    {
      responses: { "/logs-*/_search": DOWN },
      firing: ["service:web"],
      detects: [],
      reports: ["status 503"],
    },
  ],
  [
    "a wrong path ends nothing",
    {
      responses: { "/logs-*/_search": GONE },
      firing: ["service:web"],
      detects: [],
      reports: ["status 404"],
    },
  ],
]);

const csv = (text: string) => ({ "/export/sensors.csv": text });
check("csv", [
  [
    "fires above 40, with columns in any order and either end of line",
    {
      responses: csv("\ufefftime,celsius,sensor\r\n1,41.5,magnet\r\n1,20,crate\r\n"),
      firing: ["sensor:crate"],
      detects: ["sensor:magnet"],
      ends: ["sensor:crate"],
    },
  ],
  [
    "an empty cell is not 0, and holds back what ends",
    {
      responses: csv("sensor,celsius\nmagnet,\ncrate,20"),
      firing: ["sensor:magnet", "sensor:crate"],
      detects: [],
      reports: ["sensors.csv has the row magnet,"],
    },
  ],
  [
    "a row of another length is not read",
    {
      responses: csv("sensor,celsius\nmagnet,41,5\ncrate,41"),
      firing: ["sensor:other"],
      detects: ["sensor:crate"],
      reports: ["sensors.csv has the row magnet,41,5"],
    },
  ],
  [
    "an error page with status 200 ends nothing",
    {
      responses: csv("<html>Please log in</html>"),
      firing: ["sensor:crate"],
      detects: [],
      reports: ["sensors.csv has the columns <html>Please log in</html> and 0 rows"],
    },
  ],
  [
    "a table without rows ends nothing",
    {
      responses: csv("sensor,celsius\n"),
      firing: ["sensor:crate"],
      detects: [],
      reports: ["and 0 rows"],
    },
  ],
  [
    "nothing ends while the service is down",
    {
      responses: { "/export/sensors.csv": DOWN },
      firing: ["sensor:crate"],
      detects: [],
      reports: ["status 503"],
    },
  ],
  [
    "a wrong path ends nothing",
    {
      responses: { "/export/sensors.csv": GONE },
      firing: ["sensor:crate"],
      detects: [],
      reports: ["status 404"],
    },
  ],
]);

/** What Prometheus answers to the two queries. */
function prometheus(
  up: { readonly [instance: string]: string },
  free: { readonly [instance: string]: string },
  more: object = {},
) {
  const vector = (values: { readonly [instance: string]: string }, other: object = {}) => ({
    status: "success",
    data: {
      resultType: "vector",
      result: Object.entries(values).map(([instance, value]) => ({
        metric: { instance, job: "node" },
        value: [SECONDS, value],
      })),
    },
    ...other,
  });
  const path = "/api/v1/query?query=";
  const share = 'node_filesystem_avail_bytes{mountpoint="/"} / node_filesystem_size_bytes';
  return {
    prometheus: {
      [path + encodeURIComponent('up{job="node"}')]: vector(up),
      [path + encodeURIComponent(share)]: vector(free, more),
    },
  };
}
check("prometheus", [
  [
    "fires for a host with little space, and ends for one with more and for one that is no target",
    {
      responses: prometheus({ a: "1", b: "1" }, { a: "0.05", b: "0.5", stranger: "0.01" }),
      firing: ["host:b:disk", "host:old:disk"],
      detects: ["host:a:disk"],
      ends: ["host:b:disk", "host:old:disk"],
    },
  ],
  [
    "a host that is down keeps its event, and the others end",
    {
      responses: prometheus({ a: "0", b: "1" }, { b: "0.5" }),
      firing: ["host:a:disk", "host:b:disk"],
      detects: ["host:a:down"],
      ends: ["host:b:disk"],
      reports: ["the free space of a is not known"],
    },
  ],
  [
    "NaN is not much space",
    {
      responses: prometheus({ a: "1" }, { a: "NaN" }),
      firing: ["host:a:disk"],
      detects: [],
      reports: ["the free space of a is not known"],
    },
  ],
  [
    "no targets end nothing",
    {
      responses: prometheus({}, {}),
      firing: ["host:a:disk"],
      detects: [],
      reports: ['Prometheus has no targets with job="node"'],
    },
  ],
  [
    "a warning ends nothing",
    {
      responses: prometheus({ a: "1" }, { a: "0.5" }, { warnings: ["store is not available"] }),
      firing: ["host:a:disk"],
      detects: [],
      reports: ["Prometheus: store is not available"],
    },
  ],
  [
    "nothing ends where a query fails",
    {
      responses: {
        prometheus: {
          "/api/v1/query": { status: 422, body: { status: "error", error: "bad query" } },
        },
      },
      firing: ["host:a:disk"],
      detects: [],
      reports: ["status 422"],
    },
  ],
]);

const transfer = (id: number, state: unknown, modified: unknown) => ({ id, state, modified });
const OLD = "2026-11-27T16:00:00Z";
const transfers = (first: readonly object[], second: object) => ({
  "/api/transfers/": {
    count: 3,
    next: "https://django.example.org/api/transfers/?ordering=id&page=2&page_size=100&state=running",
    previous: null,
    results: first,
  },
  "/api/transfers/?page=2": second,
});
const last = (...results: object[]) => ({ count: 3, next: null, previous: "…", results });
check("django rest framework", [
  [
    "fires for what is stuck on any page, and not for what the filter should have left out",
    {
      responses: transfers(
        [transfer(1, "running", OLD), transfer(2, "running", "2026-11-27T17:30:00Z")],
        last(transfer(3, "running", OLD)),
      ),
      firing: ["transfer:2"],
      detects: ["transfer:1", "transfer:3"],
      ends: ["transfer:2"],
    },
  ],
  [
    "a filter that is ignored makes no alarm",
    {
      responses: transfers(
        [transfer(1, "done", OLD), transfer(2, "done", OLD)],
        last(transfer(3, "failed", OLD)),
      ),
      firing: ["transfer:3"],
      detects: [],
      ends: ["transfer:3"],
    },
  ],
  [
    "nothing ends where the second page fails",
    {
      responses: transfers([transfer(1, "running", OLD), transfer(2, "running", OLD)], DOWN),
      firing: ["transfer:3"],
      detects: ["transfer:1", "transfer:2"],
      reports: ["status 503"],
    },
  ],
  [
    "nothing ends where the pages have less than the count",
    {
      responses: transfers([transfer(1, "running", OLD)], last(transfer(3, "running", OLD))),
      firing: ["transfer:2"],
      detects: ["transfer:1", "transfer:3"],
      reports: ["count"],
    },
  ],
  [
    "a transfer without its state or its time ends nothing",
    {
      responses: transfers(
        [transfer(1, undefined, OLD), transfer(2, "running", null)],
        last(transfer(3, "running", OLD)),
      ),
      firing: ["transfer:1"],
      detects: ["transfer:3"],
      reports: ["transfer 1 has the state undefined", "transfer 2 has the state running"],
    },
  ],
]);

const items = (...states: (string | undefined)[]) => ({
  inventory: { "/items/": states.map((state, at) => ({ serial: `m${at}`, state })) },
});
check("login and certificates", [
  [
    "fires for what is broken, and ends for what is not",
    {
      responses: items("good", "broken"),
      firing: ["module:m0"],
      detects: ["module:m1"],
      ends: ["module:m0"],
    },
  ],
  [
    "a login that is refused ends nothing",
    {
      responses: { inventory: { "/items/": { status: 401, body: { detail: "no" } } } },
      firing: ["module:m0"],
      detects: [],
      reports: ["status 401"],
    },
  ],
  [
    "a state that is missing is not good",
    {
      responses: items(undefined, "broken"),
      firing: ["module:m0"],
      detects: ["module:m1"],
      reports: ["module m0 has no state"],
    },
  ],
  [
    "an empty inventory ends nothing",
    {
      responses: items(),
      firing: ["module:m0"],
      detects: [],
      reports: ["the inventory is empty"],
    },
  ],
]);

const crates = (answers: { readonly [crate: string]: object }) => ({
  "/crates/": Object.keys(answers),
  ...Object.fromEntries(
    Object.entries(answers).map(([crate, answer]) => [`/crates/${crate}/channels/`, answer]),
  ),
});
const volts = (value: unknown) => [{ name: "ch0", volts: value }];
check("one request for each entity", [
  [
    "fires for a wrong voltage, and ends for a right one",
    {
      responses: crates({ a: volts(4.5), b: volts(5.1) }),
      firing: ["crate:b:ch0"],
      detects: ["crate:a:ch0"],
      ends: ["crate:b:ch0"],
    },
  ],
  [
    "a crate that does not answer keeps its events, and those of the others end",
    {
      responses: crates({ a: { status: 504 }, a2: volts(5), b: volts(5) }),
      firing: ["crate:a:ch0", "crate:a2:ch0", "crate:b:down"],
      detects: ["crate:a:down"],
      ends: ["crate:a2:ch0", "crate:b:down"],
      reports: ["status 504"],
    },
  ],
  [
    "the events of a crate end where the service says that it is gone, and not where a proxy does",
    {
      responses: crates({ a: GONE, b: PROXY_404, c: volts(5) }),
      firing: ["crate:a:ch0", "crate:b:ch0"],
      detects: [],
      ends: ["crate:a:ch0"],
      reports: ["not from the service itself"],
    },
  ],
  [
    "a voltage that is missing keeps the events of its crate",
    {
      responses: crates({ a: volts(null), b: volts(5) }),
      firing: ["crate:a:ch0", "crate:b:ch0"],
      detects: [],
      ends: ["crate:b:ch0"],
      reports: ["ch0 of crate a has null V"],
    },
  ],
  [
    "without the list of crates nothing ends",
    {
      responses: { "/crates/": DOWN },
      firing: ["crate:a:ch0"],
      detects: [],
      reports: ["status 503"],
    },
  ],
  [
    "an empty list of crates ends nothing",
    {
      responses: crates({}),
      firing: ["crate:a:ch0"],
      detects: [],
      reports: ["the list of crates is empty"],
    },
  ],
]);
