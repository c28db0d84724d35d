import { expect } from "vitest";
import type { TestRequest } from "../../../src/testing.ts";
import { checkRecipe, DOWN, GONE, NOW } from "../../support/recipes.ts";

const SECONDS = Date.parse(NOW) / 1000;

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
checkRecipe("graphql", [
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
checkRecipe("opensearch", [
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
checkRecipe("csv", [
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
checkRecipe("prometheus", [
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
checkRecipe("django rest framework", [
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
