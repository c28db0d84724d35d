import type { SpoolEvent } from "swf-alarms";
import { show } from "./fields.ts";
import type { ProcessId } from "./supervisord_process.ts";

/** One event of a supervisord, as far as it is of use. */
export type SupervisorEvent = Source &
  (
    | (ProcessId & {
        readonly kind: "state";
        /** `RUNNING`, `FATAL` and so on. */
        readonly state: string;
        /** Of an exit: whether supervisord was told to expect its code. */
        readonly isExpected: boolean;
        readonly pid: string | null;
      })
    | (ProcessId & { readonly kind: "output"; readonly text: string })
    | { readonly kind: "group removed"; readonly group: string }
    | { readonly kind: "supervisor started" }
  );

/** Where an event comes from. */
export interface Source {
  /** The identifier of the supervisord. */
  readonly supervisor: string;
  /** Its run; the serials of a run are in the order of the events. */
  readonly origin: string;
  readonly serial: number;
  /** Epoch seconds. */
  readonly at: number;
}

export type ParsedEvent =
  | { readonly ok: true; readonly event: SupervisorEvent | undefined }
  | { readonly ok: false; readonly error: string };

/** Characters of a name. */
const MAX_NAME = 200;

export function parseEvent(line: SpoolEvent): ParsedEvent {
  const { origin, serial, at, event: name } = line;
  const source = { supervisor: supervisorOf(line), origin, serial, at };
  const [first = "", ...rest] = line.payload.split("\n");
  const fields = fieldsOf(first);
  const [group, program] = [fields.get("groupname"), fields.get("processname")];
  const id = { group: group ?? "", name: program ?? "" };
  const missing = (field: string): ParsedEvent => {
    const which = `event ${serial} of ${source.supervisor}, ${shorten(name)}`;
    return { ok: false, error: `${which}, has no readable ${field}: ${quoted(line.payload)}` };
  };
  if (name === "SUPERVISOR_STATE_CHANGE_RUNNING")
    return { ok: true, event: { ...source, kind: "supervisor started" } };
  if (name === "PROCESS_GROUP_REMOVED") {
    if (group === undefined) return missing("groupname");
    return { ok: true, event: { ...source, kind: "group removed", group } };
  }
  const isOutput = name.startsWith("PROCESS_COMMUNICATION_");
  if (!isOutput && !name.startsWith(STATE)) return { ok: true, event: undefined };
  if (program === undefined) return missing("processname");
  if (group === undefined) return missing("groupname");
  if (isOutput)
    return { ok: true, event: { ...source, ...id, kind: "output", text: rest.join("\n") } };
  const state = name.slice(STATE.length);
  const expected = fields.get("expected");
  if (state === "EXITED" && expected !== "0" && expected !== "1") return missing("expected");
  const pid = fields.get("pid") ?? null;
  return {
    ok: true,
    event: { ...source, ...id, kind: "state", state, isExpected: expected === "1", pid },
  };
}

const STATE = "PROCESS_STATE_";

export function supervisorOf({ origin }: Pick<SpoolEvent, "origin">): string {
  return shorten(origin.slice(0, origin.lastIndexOf(":")));
}

/** A text for one line and for a key. */
export function shorten(text: string, length: number = MAX_NAME): string {
  return show(text.trim().slice(0, length).toWellFormed());
}

/** `processname:x groupname:y` → its fields; one without a value is missing. */
function fieldsOf(line: string): ReadonlyMap<string, string> {
  const pairs = line.split(" ").map((pair): [string, string] => {
    const colon = pair.indexOf(":");
    return [pair.slice(0, colon), shorten(pair.slice(colon + 1))];
  });
  return new Map(pairs.filter(([key, value]) => key !== "" && value !== "?"));
}

function quoted(payload: string): string {
  return show(JSON.stringify(payload.slice(0, 80).toWellFormed()));
}
