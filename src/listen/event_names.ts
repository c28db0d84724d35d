import { showName } from "../text/describe.ts";
import { suggestion } from "../text/nearest.ts";

/** What supervisord 4 can send, and the names of whole families. */
const KNOWN = [
  "EVENT",
  "PROCESS_STATE",
  "PROCESS_STATE_STARTING",
  "PROCESS_STATE_RUNNING",
  "PROCESS_STATE_BACKOFF",
  "PROCESS_STATE_STOPPING",
  "PROCESS_STATE_EXITED",
  "PROCESS_STATE_STOPPED",
  "PROCESS_STATE_FATAL",
  "PROCESS_STATE_UNKNOWN",
  "PROCESS_COMMUNICATION",
  "PROCESS_COMMUNICATION_STDOUT",
  "PROCESS_COMMUNICATION_STDERR",
  "PROCESS_LOG",
  "PROCESS_LOG_STDOUT",
  "PROCESS_LOG_STDERR",
  "REMOTE_COMMUNICATION",
  "SUPERVISOR_STATE_CHANGE",
  "SUPERVISOR_STATE_CHANGE_RUNNING",
  "SUPERVISOR_STATE_CHANGE_STOPPING",
  "TICK",
  "TICK_5",
  "TICK_60",
  "TICK_3600",
  "PROCESS_GROUP",
  "PROCESS_GROUP_ADDED",
  "PROCESS_GROUP_REMOVED",
];

/** The sign of life that readers of a spool wait for: without it a quiet host looks like a dead listener. */
const LIFE = "TICK_60";

/** What is kept unless the user says otherwise: no output of programs. */
export const DEFAULT_EVENTS: readonly string[] = [
  "PROCESS_STATE",
  "PROCESS_COMMUNICATION",
  "REMOTE_COMMUNICATION",
  "SUPERVISOR_STATE_CHANGE",
  "PROCESS_GROUP",
  LIFE,
];

/** Whether an event is kept, where `names` are events and families. */
export function isKept(event: string, names: readonly string[]): boolean {
  return (
    event === LIFE ||
    names.some((name) => name === "EVENT" || event === name || event.startsWith(`${name}_`))
  );
}

/** `PROCESS_STATE,TICK_60` → the names, or the first that supervisord does not know. */
export function parseEventNames(text: string): readonly string[] | { readonly fault: string } {
  const names = text
    .split(",")
    .map((name) => name.trim().toUpperCase())
    .filter((name) => name !== "");
  const unknown = names.find((name) => !KNOWN.includes(name));
  if (unknown === undefined && names.length > 0) return names;
  const found =
    unknown === undefined
      ? "no event is named"
      : `supervisord has no event ${showName(unknown)}${suggestion(unknown, KNOWN)}`;
  return { fault: `${found}; write names such as ${DEFAULT_EVENTS.join(",")}` };
}
