import { expect, test } from "vitest";
import { checkRecipe, DOWN, NOW, runRecipe } from "../../support/recipes.ts";

const disk = (percent: unknown) => [{ name: "sda", percent }];
checkRecipe("two limits", [
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
checkRecipe("age of the newest item", [
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
checkRecipe("failure rate by site", [
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
checkRecipe("expected hosts", [
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
checkRecipe("yesterday's value", [
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
    return (await runRecipe("yesterday's value", { previous: remembered(...samples), responses }))
      .memory;
  };
  const [old, dayOld, fresh] = [sample(26, {}), sample(25, {}), sample(0.5, {})];
  const now = sample(0, { raw: 5 });
  expect(await memoryOf({ raw: 5 }, old, dayOld)).toEqual([dayOld, now]);
  expect(await memoryOf({ raw: 5 }, dayOld, fresh)).toEqual([dayOld, fresh]);
  expect(await memoryOf(DOWN, dayOld)).toBeUndefined();
  expect(await memoryOf({ error: "database is down" }, dayOld)).toBeUndefined();
});
