import type { Outcome } from "../core/model.ts";
import { prefixFinder } from "../core/scopes.ts";

export interface RunVerdict {
  /** Whether the process may take another job. */
  readonly clean: boolean;
  /** Whether it clears or fails, which a module that ran earlier in the process may have caused. */
  readonly matters: boolean;
}

export interface RunEnd {
  readonly outcome: Outcome;
  /** The dedupe keys of the alarm's active events. */
  readonly firing: readonly string[];
  /** Whether a request failed, or was waited for when the time was up: no module is the cause of that. */
  readonly isOfSource: boolean;
  /** Whether the module's process reported more than requests that failed. */
  readonly hasOwnReasons: boolean;
  /** Whether the process is alive, and as it was before the run. */
  readonly isAsBefore: boolean;
}

/** What the end of a run of `detect` means for its process, and whether the outcome must be confirmed in another one. */
export function judgeRun(end: RunEnd): RunVerdict {
  const { outcome, firing, isOfSource, hasOwnReasons, isAsBefore } = end;
  const { status, keys, clears, scopes } = outcome;
  const isComplete = status === "complete";
  const prefixesOf = prefixFinder(scopes);
  const clearsOne = firing.some(
    (key) => clears.has(key) || (isComplete && !keys.has(key) && prefixesOf(key).length === 0),
  );
  const seesAll = isComplete && scopes.size === 0;
  const fails = !seesAll && (!isOfSource || (status !== "failed" && hasOwnReasons));
  return { clean: isAsBefore && !(status === "failed" && fails), matters: clearsOne || fails };
}
