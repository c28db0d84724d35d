import { type Detection, duration, utcSecond } from "swf-alarms";
import type { SupervisorEvent } from "./supervisord_event.ts";
import { type ProcessId, processName } from "./supervisord_process.ts";

/** What went wrong with a program, and what became of it. Times are epoch seconds by the listener's clock. */
export interface ProgramTrouble extends ProcessId {
  readonly kind: "program";
  readonly supervisor: string;
  /** The first and the latest time that it exited unexpectedly or became FATAL. */
  readonly since: number;
  readonly at: number;
  /** Unexpected exits since then. */
  readonly exits: number;
  readonly isFatal: boolean;
  /** Of the process that exited. */
  readonly pid: string | null;
  /** Its latest state, and since when. */
  readonly state: string;
  readonly stateAt: number;
  /** Of the event that said so. */
  readonly origin: string;
  readonly serial: number;
  /** Why it is over. */
  readonly end: string | null;
}

type StateEvent = SupervisorEvent & { readonly kind: "state" };

export function programKey({ supervisor, group, name }: ProgramTrouble | StateEvent): string {
  return `${supervisor}:${group}:${name}`;
}

/**
 * What is known after an event. A program that exits again within `quiet` seconds exits repeatedly: that it is RUNNING
 * again says little then.
 */
export function afterState(
  before: ProgramTrouble | undefined,
  event: StateEvent,
  quiet: number,
): ProgramTrouble | undefined {
  const { supervisor, group, name, state, isExpected, pid, at, origin, serial } = event;
  // Two listeners of a pool can write in another order, which this tick may have cut.
  if (before?.origin === origin && serial <= before.serial) return before;
  const latest = { state, stateAt: at, origin, serial };
  const isExit = state === "EXITED" && !isExpected;
  if (isExit || state === "FATAL") {
    // Someone has started it since it was FATAL.
    const isAnew = before === undefined || (isExit && before.isFatal) || at - before.at >= quiet;
    const { since, exits } = isAnew ? { since: at, exits: 0 } : before;
    return {
      ...{ kind: "program", supervisor, group, name, since, at, ...latest, end: null },
      exits: isExit ? exits + 1 : exits,
      isFatal: !isExit,
      pid: pid ?? (isAnew ? null : before.pid),
    };
  }
  return before && { ...before, ...latest, end: before.end ?? endBy(before, event) };
}

/** Its supervisord has no such process any more. */
export function withoutProcess(trouble: ProgramTrouble, event: SupervisorEvent): ProgramTrouble {
  if (trouble.supervisor !== event.supervisor || trouble.end !== null) return trouble;
  if (event.kind === "supervisor started")
    return { ...trouble, end: "its supervisord was started again" };
  if (event.kind === "group removed" && event.group === trouble.group)
    return { ...trouble, end: "its group was removed from supervisord" };
  return trouble;
}

function endBy({ at, exits, isFatal }: ProgramTrouble, event: StateEvent): string | null {
  switch (event.state) {
    case "RUNNING":
      return exits > 1 && !isFatal ? null : `RUNNING again after ${duration(event.at - at)}`;
    case "STOPPED":
      return "it was stopped";
    case "EXITED":
      return "it exited as expected";
    default:
      return null;
  }
}

/** Why it is over; a program that is down is never over because nothing more is heard of it. `clock`: the latest line. */
export function endOfTrouble(trouble: ProgramTrouble, clock: number, quiet: number): string | null {
  const { end, state, at, exits } = trouble;
  if (end !== null || state !== "RUNNING" || clock - at < quiet) return end;
  return `RUNNING, and quiet for ${duration(clock - at)} after ${exits} unexpected exits`;
}

export function describeTrouble(trouble: ProgramTrouble): Detection {
  const { supervisor, since, at, exits, isFatal, pid, state, stateAt } = trouble;
  const program = processName(trouble);
  const isRepeated = exits > 1;
  const repeatedly = `exited unexpectedly ${exits} times in ${duration(at - since)}`;
  const text = isFatal
    ? state === "FATAL"
      ? "is FATAL: supervisord does not start it again"
      : `was FATAL, now ${state}`
    : `${isRepeated ? repeatedly : "exited unexpectedly"}, now ${state}`;
  const lines = [
    `Program:       ${program}, supervised by ${supervisor}`,
    `State:         ${state} since ${utcSecond(stateAt)}`,
    ...(exits === 0 ? [] : [`Exits:         ${exits} unexpected, the latest of pid ${pid ?? "?"}`]),
    `First:         ${utcSecond(since)}`,
    `Latest:        ${utcSecond(at)}`,
    "",
    `What it wrote: supervisorctl tail ${program} stderr (stdout with redirect_stderr)`,
    ...(isFatal && state === "FATAL" ? [`To start it:   supervisorctl start ${program}`] : []),
  ];
  return {
    dedupeKey: programKey(trouble),
    subject: `${supervisor}: ${program} ${text}`,
    body: lines.join("\n"),
    severity: isFatal ? "critical" : isRepeated ? "error" : "warning",
    data: { metric: isRepeated ? `${exits} exits` : state, supervisor, program, state, pid, exits },
  };
}
