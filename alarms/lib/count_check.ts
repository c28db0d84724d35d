import type { JsonObject } from "swf-alarms";
import { numberOf } from "./fields.ts";

/**
 * Where the upstream's count query fails, the answer is a 200 all the same: every count is 0 and every
 * rate null. Read as it stands, all tasks would look healthy and every event would clear.
 */
export type CountCheck =
  | { readonly kind: "counted" }
  /** One or two tasks without counts: young tasks look the same. */
  | { readonly kind: "unsure" }
  | { readonly kind: "failed"; readonly reason: string };

/**
 * So many tasks without a single count between them are no coincidence. Fewer may be a young site with
 * its first tasks, which must not be reported day after day.
 */
const ENOUGH = 3;

interface Check {
  /** True for a task that cannot be without what is looked for. */
  readonly needs: (task: JsonObject) => boolean;
  /** True for a task that shows it; one such task proves that the upstream did count. */
  readonly shows: (task: JsonObject) => boolean;
  readonly words: string;
}

/** Jobs are counted by one query and input files by another, so each can fail alone. */
const CHECKS: readonly Check[] = [
  {
    needs: ({ status }) =>
      status === "running" || status === "finished" || status === "done" || status === "failed",
    shows: (task) => hasJobs(task) || hasFiles(task),
    words: "are running or have ended, and none shows a job or an input file",
  },
  {
    // Only running ones: the job records of older tasks may have been moved to the archive.
    needs: ({ status }) => status === "running",
    shows: hasJobs,
    words: "are running, and none shows a job",
  },
  {
    needs: (task) => count(task.nfinished) > 0 && task.nfilesfinished !== undefined,
    shows: hasFiles,
    words: "have finished jobs, and none shows an input file that ended",
  },
];

/** Judges the rows of one answer: each page is counted by itself, so one can fail among good ones. */
export function checkCounts(page: readonly JsonObject[]): CountCheck {
  let unsure = false;
  for (const { needs, shows, words } of CHECKS) {
    const suspects = page.filter(needs).length;
    if (suspects === 0 || page.some(shows)) continue;
    if (suspects >= ENOUGH)
      return { kind: "failed", reason: `${suspects} tasks of one answer ${words}` };
    unsure = true;
  }
  return { kind: unsure ? "unsure" : "counted" };
}

/**
 * Only what is counted shows that the upstream did count: `nretries` or `maxattempt` may still stand in
 * an answer whose counts are missing.
 */
function hasJobs(task: JsonObject): boolean {
  return count(task.nactive) + count(task.nfinished) + count(task.nfailed) > 0;
}

function hasFiles(task: JsonObject): boolean {
  return count(task.nfilesfinished) + count(task.nfinalfailed) > 0;
}

function count(value: unknown): number {
  return numberOf(value) ?? 0;
}
