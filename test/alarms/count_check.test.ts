import { expect, test } from "vitest";
import { checkCounts } from "../../alarms/lib/count_check.ts";
import type { JsonObject } from "../../src/text/json.ts";

const ZERO = {
  nactive: 0,
  nfinished: 0,
  nfailed: 0,
  nfinalfailed: 0,
  nfilesfinished: 0,
  maxattempt: null,
};
const running = { status: "running", ...ZERO };
const broken = { status: "broken", ...ZERO };
const pending = { status: "pending", ...ZERO };

const rows: readonly [sentence: string, page: readonly JsonObject[], kind: string][] = [
  ["an empty list says nothing against the upstream", [], "counted"],
  [
    "three running tasks without any count are the upstream's failure",
    [running, running, running],
    "failed",
  ],
  [
    "so are ended tasks: done, finished and failed ones had jobs",
    ["done", "finished", "failed"].map((status) => ({ status, ...ZERO })),
    "failed",
  ],
  ["two could be a young site's first tasks", [running, running], "unsure"],
  [
    "one new task next to a counted one is a new task",
    [running, running, running, { ...running, nactive: 1 }],
    "counted",
  ],
  [
    "a task in another status proves as well that the upstream counts",
    [running, running, running, { ...pending, nactive: 4, nfilesfinished: 1 }],
    "counted",
  ],
  ["tasks that never had jobs need no counts", [broken, broken, pending, pending], "counted"],
  [
    "attempts that stand beside zeros do not show that the upstream counted",
    [
      { ...running, maxattempt: 1 },
      { ...running, maxattempt: 1 },
      { ...running, maxattempt: 3 },
    ],
    "failed",
  ],
  [
    "finished jobs without one ended input file: only the file query failed",
    [1, 2, 3].map((nfinished) => ({ ...running, nactive: 1, nfinished })),
    "failed",
  ],
  [
    "early failures have no ended input file, and that is right",
    [1, 2, 3].map((nfailed) => ({ ...running, nactive: 1, nfailed })),
    "counted",
  ],
  [
    "an older upstream has no nfilesfinished to miss",
    [1, 2, 3].map((nfinished) => ({ status: "running", nactive: 1, nfinished, nfailed: 0 })),
    "counted",
  ],
  [
    "files without jobs on running tasks: only the job query failed",
    [1, 2, 3].map((nfilesfinished) => ({ ...running, nfilesfinished })),
    "failed",
  ],
  [
    "files without jobs on tasks that ended long ago: their job records are archived",
    [1, 2, 3].map((nfilesfinished) => ({ ...running, status: "done", nfilesfinished })),
    "counted",
  ],
];

test.each(rows)("%s", (_sentence, page, kind) => {
  expect(checkCounts(page).kind).toBe(kind);
});
