import type { Command } from "commander";
import type { Alarm } from "../alarm/load_alarms.ts";
import { judgeReadiness } from "../alarm/readiness.ts";
import type { Config } from "../config/config.ts";
import { ENGINE } from "../core/event_key.ts";
import type { Log } from "../core/log.ts";
import { type DetectFacts, detect } from "../engine/detect.ts";
import { type Recorded, record } from "../engine/record.ts";
import { Sources } from "../engine/sources.ts";
import { openWorkerPool } from "../engine/workers.ts";
import type { SharedSource } from "../source/share.ts";
import { type Database, DatabaseError } from "../store/database.ts";
import { readStates, type States, settlingOf } from "../store/engine_state.ts";
import { listTeams } from "../store/teams.ts";
import { findAlarm, NotFound } from "./alarms.ts";
import { consoleLog } from "./console_log.ts";
import type { JsonOption } from "./output.ts";
import { addParamOptions, type ParamOptions, readParams } from "./param_option.ts";
import { type Progress, showProgress } from "./progress.ts";
import { redact } from "./secrets.ts";
import { type ConfigOption, readConfig, withDatabase } from "./session.ts";

export interface TryOptions extends ConfigOption, JsonOption, ParamOptions {
  /** Epoch seconds that count as now. */
  readonly at?: number;
  /** Seconds for `detect`. */
  readonly timeout?: number;
}

export function addTryOptions(command: Command): Command {
  return addParamOptions(command, "use this value instead of the row's");
}

/** An alarm that a person tries now. */
export interface Tried {
  readonly db: Database;
  readonly config: Config;
  /** With the parameters that the person gave. */
  readonly alarm: Alarm;
  readonly now: number;
  readonly states: States;
  /** What a tick would do with it, also if it is quarantined. */
  readonly recorded: Recorded;
}

/** Runs the `detect` of an alarm, which may be one that has no row yet. Writes nothing. Throws NotFound. */
export async function withTriedAlarm<T>(
  name: string,
  options: TryOptions,
  work: (tried: Tried) => Promise<T>,
  onStates?: DetectFacts["onStates"],
): Promise<T> {
  const open = async (db: Database, config: Config): Promise<T> => {
    const found = await findAlarm(db, config, name);
    if (found.row.name === ENGINE)
      throw new NotFound(
        `${ENGINE} is built in: it looks at the tick itself, so that it only runs in ticks`,
      );
    const sources = new Sources(config);
    const counted = countRequests(sources);
    const progress = options.json === true ? undefined : showProgress(counted.count);
    const log = logOver(progress, consoleLog(options.json !== true));
    const workers = openWorkerPool(config, new AbortController().signal, log, redact);
    try {
      const alarm = asTried(found, options, sources.names);
      const now = options.at ?? Date.now() / 1000;
      const states = await readStates(db);
      const keepAll = true;
      const facts = { config, db, workers, sources: counted, now, log, keepAll, onStates } as const;
      const recorded = await record(alarm, {
        db,
        run: { mode: "plan", now },
        detect: (active) => detect(alarm, active, facts),
        teams: await listTeams(db),
        settling: settlingOf(states, alarm.row.name),
        clearGuardShare: config.engine.clearGuardShare,
      });
      progress?.end();
      if (recorded.error !== undefined) throw new DatabaseError(recorded.error);
      return await work({ db, config, alarm, now, states, recorded });
    } finally {
      progress?.end();
      await workers.close();
      await sources.close();
    }
  };
  return await withDatabase(readConfig(options), open, "plan");
}

/** The sources, and how many requests they have been sent. */
function countRequests({ byName, names }: Sources) {
  let sent = 0;
  const counted = new Map<string, SharedSource>();
  for (const [name, source] of byName)
    counted.set(name, {
      kind: source.kind,
      maxConnections: source.maxConnections,
      request: (request) => {
        sent += 1;
        return source.request(request);
      },
      heldUpBy: () => source.heldUpBy?.(),
      reportInvalid: (request, reason) => source.reportInvalid?.(request, reason),
    });
  return { byName: counted, names, count: () => sent };
}

function logOver(progress: Progress | undefined, log: Log): Log {
  const over = (write: (message: string) => void) => (message: string) => {
    progress?.clear();
    write(message);
  };
  return { error: over(log.error), info: over(log.info), debug: over(log.debug) };
}

/** With the parameters and the time that the person gave. */
function asTried(alarm: Alarm, options: TryOptions, configured: ReadonlySet<string>): Alarm {
  const { module, readiness } = alarm;
  const { timeout } = options;
  const params = { ...alarm.row.params, ...readParams(alarm, options) };
  const limits = { ...alarm.row.limits, ...(timeout !== undefined && { timeout }) };
  return {
    ...alarm,
    row: { ...alarm.row, params, limits },
    readiness: module === undefined ? readiness : judgeReadiness(module, params, configured),
  };
}
