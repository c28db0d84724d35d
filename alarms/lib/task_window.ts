import { type JsonObject, type JsonValue, parseUtc } from "swf-alarms";

const DAY = 86_400;
const ZOMBIE_AFTER = 60 * DAY;
const ENDED = ["done", "failed", "aborted", "broken", "finished"];

export interface Window {
  readonly since_days: number;
  readonly username?: string | undefined;
}

/**
 * Whether an answer for one task is that task, and it is missing from the list only because it has not
 * changed for so long. `now` is in epoch seconds.
 */
export function isOutOfWindow(
  answer: JsonValue | undefined,
  key: string,
  { since_days: days, username }: Window,
  now: number,
): answer is JsonObject {
  if (typeof answer !== "object" || answer === null || Array.isArray(answer)) return false;
  if (`task:${answer.jeditaskid}` !== key) return false;
  // An owner given in full must be the task's own; a pattern is taken to match, as it did before.
  if (username && typeof answer.username === "string" && !isOwner(username, answer.username))
    return false;
  if (isZombie(answer, now)) return false;
  const changed = parseUtc(answer.modificationtime);
  return changed !== undefined && changed < now - days * DAY;
}

/** PanDA gives up tasks that never ended and lists them no more, whatever the window. */
function isZombie({ status, creationdate }: JsonObject, now: number): boolean {
  const created = parseUtc(creationdate);
  const hasEnded = typeof status === "string" && ENDED.includes(status);
  return !hasEnded && created !== undefined && created < now - ZOMBIE_AFTER;
}

function isOwner(wanted: string, owner: string): boolean {
  return wanted.includes("%") || wanted.toLowerCase() === owner.toLowerCase();
}
