import type { JsonValue } from "swf-alarms";
import { numberOf, objectOf, quote, show, textOf } from "./fields.ts";

/** What names a process in supervisord: neither part can contain a colon. */
export interface ProcessId {
  readonly group: string;
  readonly name: string;
}

/** A row of `supervisor.getAllProcessInfo`; times are epoch seconds by the supervisor's clock. */
export interface Process extends ProcessId {
  /** `RUNNING`, `FATAL` and so on. */
  readonly state: string;
  /** Why it could not be started, or that it exited unexpectedly; else empty. The next start empties it. */
  readonly spawnerr: string;
  /** The latest start and end of its process; 0 if there was none. */
  readonly start: number;
  readonly stop: number;
  readonly now: number;
  /** 0 without a process. */
  readonly pid: number;
  /** The file with what it writes to stderr, which may be that of stdout; empty if there is none. */
  readonly errorLog: string;
}

/** What is used of a row of `supervisor.getAllConfigInfo`. */
export interface Program extends ProcessId {
  readonly autostart: boolean;
  /** Seconds that it must stay up to be RUNNING. */
  readonly startsecs: number;
  /** Seconds after which a process that is to stop is killed. */
  readonly stopwaitsecs: number;
}

export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: string; readonly id: ProcessId | undefined };

/** As supervisorctl writes it. */
export function processName({ group, name }: ProcessId): string {
  return show(group === name ? name : `${group}:${name}`);
}

export function parseProcess(row: JsonValue): Parsed<Process> {
  const fields = objectOf(row);
  const id = parseId(row);
  const [state, spawnerr] = [textOf(fields?.statename), textOf(fields?.spawnerr)];
  const times = [timeOf(fields?.start), timeOf(fields?.stop), timeOf(fields?.now)] as const;
  const [start, stop, now] = times;
  const pid = numberOf(fields?.pid);
  if (id === undefined) return { ok: false, error: nameless("process", row), id };
  const error = (field: string): Parsed<Process> => {
    const [name, found] = [quote(processName(id)), quote(fields?.[field])];
    return { ok: false, error: `process ${name} has no readable ${field}: ${found}`, id };
  };
  if (state === null) return error("statename");
  if (spawnerr === null) return error("spawnerr");
  if (start === null) return error("start");
  if (stop === null) return error("stop");
  if (now === null) return error("now");
  if (pid === null) return error("pid");
  // With redirect_stderr, stderr has no file of its own.
  const errorLog = textOf(fields?.stderr_logfile) || textOf(fields?.stdout_logfile) || "";
  return { ok: true, value: { ...id, state, spawnerr, start, stop, now, pid, errorLog } };
}

export function parseProgram(row: JsonValue): Parsed<Program> {
  const fields = objectOf(row);
  const id = parseId(row);
  if (id === undefined) return { ok: false, error: nameless("program", row), id };
  const { autostart } = fields ?? {};
  const [startsecs, stopwaitsecs] = [numberOf(fields?.startsecs), numberOf(fields?.stopwaitsecs)];
  if (typeof autostart === "boolean" && startsecs !== null && stopwaitsecs !== null)
    return { ok: true, value: { ...id, autostart, startsecs, stopwaitsecs } };
  const error = `the configuration of ${quote(processName(id))} has no readable autostart, startsecs or stopwaitsecs`;
  return { ok: false, error, id };
}

function parseId(row: JsonValue): ProcessId | undefined {
  const fields = objectOf(row);
  const [group, name] = [textOf(fields?.group), textOf(fields?.name)];
  return group === null || name === null ? undefined : { group, name };
}

function nameless(what: string, row: JsonValue): string {
  return `supervisord lists a ${what} without a group and a name: ${quote(row)}`;
}

/** What a Date can show. */
function timeOf(value: unknown): number | null {
  const time = numberOf(value);
  return time !== null && time >= 0 && time < 1e11 ? time : null;
}
