import { expect, test } from "vitest";
import { checkCounts } from "../../alarms/lib/panda_task.ts";
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
  ["an empty list does not show a failed count", [], "counted"],
  [
    "three running tasks without any count: the count failed",
    [running, running, running],
    "failed",
  ],
  [
    "so do three ended tasks: done, finished and failed ones had jobs",
    ["done", "finished", "failed"].map((status) => ({ status, ...ZERO })),
    "failed",
  ],
  ["two may be the first tasks of a new site", [running, running], "unsure"],
  [
    "one new task next to a counted one is a new task",
    [running, running, running, { ...running, nactive: 1 }],
    "counted",
  ],
  [
    "a counted task in another status proves that the service counts",
    [running, running, running, { ...pending, nactive: 4, nfilesfinished: 1 }],
    "counted",
  ],
  ["tasks that never had jobs need no counts", [broken, broken, pending, pending], "counted"],
  [
    "maxattempt beside zeros does not prove that the service counted",
    [
      { ...running, maxattempt: 1 },
      { ...running, maxattempt: 1 },
      { ...running, maxattempt: 3 },
    ],
    "failed",
  ],
  [
    "finished jobs without any ended input file: only the file query failed",
    [1, 2, 3].map((nfinished) => ({ ...running, nactive: 1, nfinished })),
    "failed",
  ],
  [
    "early failures have no ended input file, which is right",
    [1, 2, 3].map((nfailed) => ({ ...running, nactive: 1, nfailed })),
    "counted",
  ],
  [
    "an older service does not report nfilesfinished",
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
