import {
  type AlarmClient,
  type ParamSpecs,
  type ParamsOf,
  type Scalar,
  Track,
  utcMinute,
} from "swf-alarms";
import { show } from "./lib/fields.ts";
import { isMeant, missingOf, phaseOf, problemOf } from "./lib/supervisord_judge.ts";
import { keyOf, type Poll, pollSupervisor } from "./lib/supervisord_poll.ts";
import { type Process, processName } from "./lib/supervisord_process.ts";

export const TITLE = "Programs under supervisord";

export const DESCRIPTION =
  "A program that supervisord runs does not start, has exited unexpectedly, restarts again and again, or is missing; or " +
  "the supervisor itself cannot be polled.";

export const SOURCES = ["supervisord"];

/** Of a program that is down. */
export const STAGES = ["starting", "down"];

export const PARAMS = {
  supervisors: {
    type: "table",
    default: [{ source: "supervisord", must_run: [] }],
    description: "poll these supervisors",
    columns: {
      source: {
        type: "string",
        required: true,
        description: 'the source of the supervisor (kind = "xmlrpc")',
      },
      must_run: {
        type: "list",
        default: [],
        description:
          "programs that must run, even if someone stopped them: group:name, group:* or name",
      },
    },
  },
  patience_seconds: {
    type: "number",
    default: 60,
    min: 0,
    description:
      "report a program that starts, stops or has exited only if that lasts longer than this",
  },
  restarts: {
    type: "integer",
    default: 3,
    min: 1,
    max: 31,
    description: "report a program that restarted this often in restart_minutes",
  },
  restart_minutes: {
    type: "number",
    default: 30,
    min: 1,
    description: "count restarts in this time; at most one is seen in each tick",
  },
} as const satisfies ParamSpecs;

type Params = ParamsOf<typeof PARAMS>;

export async function* detect(client: AlarmClient, params: Params) {
  const supervisors = await Promise.all(
    distinct(params.supervisors).map(async ({ source, must_run: mustRun }) => {
      const scope = `${source}:`;
      return { source, scope, mustRun, poll: await pollSupervisor(client.source(source), scope) };
    }),
  );
  const track = new Track((await client.previous())?.value, samplesOf(supervisors), {
    now: client.now,
    keep: params.restart_minutes * 60,
    unknown: (key) => supervisors.some(({ poll, scope }) => !poll.ok && key.startsWith(scope)),
  });
  client.remember(track.memory);
  for (const text of track.lost()) client.note(text);
  const firing = new Set(await client.firing());
  for (const { poll, ...supervisor } of supervisors) {
    const { source, scope } = supervisor;
    if (poll.ok) yield* judge(poll, { ...supervisor, params, track, firing, now: client.now });
    else
      yield {
        dedupeKey: `${scope}supervisor`,
        subject: `${source}: the supervisor is ${show(poll.state)}, so its programs are not known`,
        body: poll.reason,
        data: { metric: show(poll.state), supervisor: source },
      };
  }
}

interface Supervisor {
  readonly source: string;
  /** What all its keys begin with. */
  readonly scope: string;
  readonly mustRun: readonly string[];
}

interface Facts extends Supervisor {
  readonly params: Params;
  readonly track: Track;
  /** The keys of the active events. */
  readonly firing: ReadonlySet<string>;
  /** Epoch seconds of the tick. */
  readonly now: number;
}

function* judge({ processes, present, programs }: Poll & { readonly ok: true }, facts: Facts) {
  const { source, scope, mustRun, params, track, firing, now } = facts;
  const configured = new Map(programs.map((program) => [keyOf(scope, program), program]));
  for (const process of processes) {
    const key = keyOf(scope, process);
    const name = processName(process);
    const state = show(process.state);
    const data = { supervisor: source, program: name, state, pid: process.pid };
    const problem = problemOf(process, {
      lasting: now - (track.since(`${key}phase`) ?? now),
      patience: params.patience_seconds,
      program: configured.get(key),
      mustRun: mustRun.some((pattern) => isMeant(pattern, process)),
    });
    const count = track.changes(`${key}start`) ?? 0;
    const isLoop = count >= params.restarts;
    // Of a crash loop some polls see RUNNING, and others that it starts: that would fire and clear by turns.
    const isLoopAlone = isLoop && problem?.stage === "starting" && !firing.has(`${key}down`);
    if (problem !== undefined && !isLoopAlone)
      yield {
        dedupeKey: `${key}down`,
        subject: `${source}: ${name} ${problem.text}`,
        body: describe(process),
        stage: problem.stage,
        data: { metric: state, ...data },
      };
    if (isLoop)
      yield {
        dedupeKey: `${key}restarts`,
        subject: `${source}: ${name} was started again ${count} times in ${params.restart_minutes} min, now ${state}`,
        body: `${describe(process)}\n\n${process.stop === 0 ? `${WITH_SUPERVISORD}\n` : ""}${WHAT_POLLS_SEE}`,
        data: { metric: `${count} restarts`, ...data },
      };
    else if (firing.has(`${key}restarts`))
      yield {
        dedupeKey: `${key}restarts`,
        clear: `${count} restarts seen in the last ${params.restart_minutes} min, now ${state}`,
        ifGone: true,
      };
  }
  for (const { text, ...id } of missingOf(present, programs, mustRun))
    yield {
      dedupeKey: `${keyOf(scope, id)}down`,
      subject: `${source}: ${processName(id)} ${text}`,
      stage: "down",
      data: { metric: "missing", supervisor: source, program: processName(id) },
    };
}

const WITH_SUPERVISORD =
  "supervisord knows no end of it: the latest start was not after a crash, but with supervisord itself or supervisorctl update.";

const WHAT_POLLS_SEE =
  "Its pid and its start time changed between polls. Of several starts between two polls only one is seen, and a poll cannot " +
  "tell a crash from a restart that someone asked for.";

/** What each tick looks at: the phase of each program, and which process it is where there is one. */
function samplesOf(supervisors: readonly { readonly scope: string; readonly poll: Poll }[]) {
  const samples = new Map<string, Scalar>();
  for (const { scope, poll } of supervisors) {
    for (const process of poll.ok ? poll.processes : []) {
      const key = keyOf(scope, process);
      samples.set(`${key}phase`, phaseOf(process));
      if (process.pid !== 0) samples.set(`${key}start`, `${process.pid} ${process.start}`);
    }
  }
  return samples;
}

function describe(process: Process): string {
  const { state, spawnerr, pid, start, stop, errorLog } = process;
  const isDown = pid === 0 && state !== "BACKOFF";
  const lines = [
    ["State", state],
    ["Reason", spawnerr],
    ["Process", pid === 0 ? "none" : `pid ${pid}`],
    ["Last start", start === 0 ? "none" : utcMinute(start)],
    ["Last end", stop === 0 ? "none" : utcMinute(stop)],
    ["Its errors", errorLog],
    ["Start it", isDown ? `supervisorctl start ${processName(process)}` : ""],
  ] as const;
  return lines.flatMap(([name, text]) => (text === "" ? [] : `${name}: ${show(text)}`)).join("\n");
}

/** Throws for a source that is there twice: their programs would be the same entities. */
function distinct(supervisors: Params["supervisors"]): Params["supervisors"] {
  const sources = supervisors.map(({ source }) => source);
  const twice = sources.find((source, index) => sources.indexOf(source) !== index);
  if (twice === undefined) return supervisors;
  throw new Error(`supervisors: the source ${twice} is there twice; give it one row`);
}
