import type { AlarmClient, CallOutcome, JsonValue } from "swf-alarms";
import { numberOf, objectOf, quote, textOf } from "./fields.ts";
import {
  type Process,
  type ProcessId,
  type Program,
  parseProcess,
  parseProgram,
} from "./supervisord_process.ts";

/** What one supervisor says. */
export type Poll =
  | {
      readonly ok: true;
      readonly processes: readonly Process[];
      /** All that are there, those that could not be read included. */
      readonly present: readonly ProcessId[];
      readonly programs: readonly Program[];
    }
  | {
      readonly ok: false;
      /** What it is instead of RUNNING. */
      readonly state: string;
      readonly reason: string;
    };

const RUNNING = 1;
/** The fault that a supervisor answers each call with, even `getState`, while it shuts down or restarts. */
const SHUTDOWN_STATE = 6;
/** A supervisor that hangs must not cost the time of the run. */
const OPTIONS = { timeout: 10, attempts: 2 };

/** Asks a supervisor for its processes and its configuration. Reports what is unknown; all keys begin with `scope`. */
export async function pollSupervisor(client: AlarmClient, scope: string): Promise<Poll> {
  const state = await ask(client, "getState", scope);
  if (!state.ok) return notPolled(state);
  const fields = objectOf(state.value);
  if (numberOf(fields?.statecode) !== RUNNING) {
    const reason = `supervisor.getState returned ${quote(fields?.statename)}, not RUNNING`;
    client.incomplete(reason, scope);
    return { ok: false, state: textOf(fields?.statename) ?? "in an unknown state", reason };
  }
  const [processes, programs] = await Promise.all([
    askList(client, "getAllProcessInfo", scope),
    askList(client, "getAllConfigInfo", scope),
  ]);
  if (!processes.ok) return notPolled(processes);
  return {
    ok: true,
    ...readProcesses(client, processes.rows, scope),
    programs: programs.ok ? readPrograms(client, programs.rows, scope) : [],
  };
}

/** A failed request is recorded, but a fault is an answer. */
async function ask(
  client: AlarmClient,
  method: string,
  scope: string,
): Promise<CallOutcome<JsonValue>> {
  const outcome = await client.call(`supervisor.${method}`, [], { ...OPTIONS, scope });
  if (!outcome.ok && outcome.kind === "fault")
    client.incomplete(`supervisor.${method}: ${outcome.reason}`, scope);
  return outcome;
}

async function askList(client: AlarmClient, method: string, scope: string) {
  const outcome = await ask(client, method, scope);
  if (!outcome.ok) return outcome;
  if (Array.isArray(outcome.value)) return { ok: true as const, rows: outcome.value };
  const reason = `supervisor.${method} returned ${quote(outcome.value)}, not a list`;
  client.incomplete(reason, scope);
  return { ok: false as const, code: undefined, reason };
}

function notPolled({
  code,
  reason,
}: {
  readonly code: number | undefined;
  readonly reason: string;
}) {
  const state = code === SHUTDOWN_STATE ? "shutting down or restarting" : "unreachable";
  return { ok: false as const, state, reason };
}

function readProcesses(client: AlarmClient, rows: readonly JsonValue[], scope: string) {
  const parsed = rows.map(parseProcess);
  for (const each of parsed) {
    if (each.ok) continue;
    client.incomplete(each.error, each.id === undefined ? scope : keyOf(scope, each.id));
  }
  return {
    processes: parsed.flatMap((each) => (each.ok ? [each.value] : [])),
    present: parsed.flatMap((each) => (each.ok ? [each.value] : (each.id ?? []))),
  };
}

function readPrograms(client: AlarmClient, rows: readonly JsonValue[], scope: string) {
  return rows.map(parseProgram).flatMap((each) => {
    if (each.ok) return [each.value];
    client.incomplete(each.error, each.id === undefined ? scope : keyOf(scope, each.id));
    return [];
  });
}

/** What the keys of a program begin with. */
export function keyOf(scope: string, { group, name }: ProcessId): string {
  return `${scope}${group}:${name}:`;
}
