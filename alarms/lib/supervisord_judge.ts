import { utcMinute } from "swf-alarms";
import { show } from "./fields.ts";
import type { Process, ProcessId, Program } from "./supervisord_process.ts";

/** Why a program is not as it should be. */
export interface Problem {
  /** In words, after the name of the program. */
  readonly text: string;
  /** `starting` while supervisord still tries to start it. */
  readonly stage: "starting" | "down";
}

export interface JudgeFacts {
  /** Seconds for which each poll has seen it in the same phase: see `phaseOf`. */
  readonly lasting: number;
  /** Seconds that a phase which should pass may take, and that a program may be down. */
  readonly patience: number;
  /** Undefined if it is not known. */
  readonly program: Pick<Program, "startsecs" | "stopwaitsecs"> | undefined;
  readonly mustRun: boolean;
}

/**
 * What a program is doing. Between two tries it is in BACKOFF, and during one in STARTING, so only both together tell
 * since when it has been trying.
 */
export function phaseOf({ state }: Pick<Process, "state">): string {
  return state === "BACKOFF" ? "STARTING" : state;
}

/** Judges by the state and `spawnerr`: supervisord resets the exit status where a program dies too quickly. */
export function problemOf(process: Process, facts: JudgeFacts): Problem | undefined {
  const { state, spawnerr, start, stop, now } = process;
  const { lasting, patience, program, mustRun } = facts;
  const why = spawnerr === "" ? "" : `: ${show(spawnerr)}`;
  const since = utcMinute(now - lasting);
  const down = (text: string): Problem => ({ text, stage: "down" });
  switch (state) {
    case "RUNNING":
      return undefined;
    case "STARTING":
    case "BACKOFF":
      if (lasting <= patience + (program?.startsecs ?? 0)) return undefined;
      return {
        text: `was not RUNNING in any poll since ${since}, now ${state}${why}`,
        stage: "starting",
      };
    case "STOPPING":
      if (lasting <= patience + (program?.stopwaitsecs ?? 0)) return undefined;
      return down(`has been STOPPING since ${since} and does not end`);
    case "FATAL":
      return down(`is FATAL, supervisord does not start it again${why}`);
    case "EXITED":
      // supervisord restarts it in a moment, unless it is not to.
      if (now - stop <= patience) return undefined;
      if (spawnerr !== "")
        return down(`exited unexpectedly at ${utcMinute(stop)} and is down${why}`);
      return mustRun ? down(`exited at ${utcMinute(stop)}, and must run`) : undefined;
    case "STOPPED":
      if (!mustRun || now - stop <= patience) return undefined;
      return down(
        start === 0
          ? "was never started, and must run"
          : `was stopped at ${utcMinute(stop)}, and must run`,
      );
    default:
      return down(`is in the state ${show(state)}${why}`);
  }
}

/** Whether a process is meant: `group:name`, `group:*`, or a name that is also its group's, as for supervisorctl. */
export function isMeant(pattern: string, { group, name }: ProcessId): boolean {
  const wanted = parsePattern(pattern);
  return wanted.group === group && (wanted.name === "*" || wanted.name === name);
}

function parsePattern(pattern: string): ProcessId {
  const [group = "", name = group] = pattern.split(":");
  return { group, name };
}

/** What should be there and is not. */
export function missingOf(
  present: readonly ProcessId[],
  programs: readonly Program[],
  mustRun: readonly string[],
): readonly (ProcessId & { readonly text: string })[] {
  const wanted = mustRun
    .filter((pattern) => !present.some((id) => isMeant(pattern, id)))
    .map((pattern) => ({ ...parsePattern(pattern), text: "must run, and is not there" }));
  const unloaded = programs
    .filter(
      ({ autostart, group, name }) =>
        autostart && !present.some((id) => id.group === group && id.name === name),
    )
    .map(({ group, name }) => ({
      group,
      name,
      text: "is in the configuration with autostart, but not loaded (supervisorctl update)",
    }));
  return [...wanted, ...unloaded];
}
