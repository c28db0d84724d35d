import type { Command } from "commander";
import type { Alarm } from "../alarm/load_alarms.ts";
import { judgeReadiness } from "../alarm/readiness.ts";
import type { Config } from "../config/config.ts";
import { ENGINE } from "../core/event_key.ts";
import type { ActiveEvents, Outcome } from "../core/model.ts";
import { detect } from "../engine/detect.ts";
import { Sources } from "../engine/sources.ts";
import { openWorkerPool } from "../engine/workers.ts";
import type { Database } from "../store/database.ts";
import type { JsonObject } from "../text/json.ts";
import { findAlarm, NotFound } from "./alarms.ts";
import { consoleLog } from "./console_log.ts";
import type { JsonOption } from "./output.ts";
import { addParamOptions, type ParamOptions, readParams } from "./param_option.ts";
import { redact } from "./secrets.ts";
import { type ConfigOption, readConfig, withDatabase } from "./session.ts";

export interface TryOptions extends ConfigOption, JsonOption, ParamOptions {}

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
  /** Runs its `detect`, also if it is quarantined; never rejects. */
  readonly detect: (active: ActiveEvents) => Promise<Outcome>;
}

/** Works with an alarm, which may be one that has no row yet. Writes nothing. Throws NotFound. */
export async function withTriedAlarm<T>(
  name: string,
  options: TryOptions,
  work: (tried: Tried) => Promise<T>,
): Promise<T> {
  const open = async (db: Database, config: Config): Promise<T> => {
    const found = await findAlarm(db, config, name);
    if (found.row.name === ENGINE)
      throw new NotFound(
        `${ENGINE} is built in: it looks at the tick itself, so that it only runs in ticks`,
      );
    const sources = new Sources(config);
    const log = consoleLog(options.json !== true);
    const workers = openWorkerPool(config, new AbortController().signal, log, redact);
    try {
      const alarm = withParams(found, readParams(found, options), sources.names);
      const now = Date.now() / 1000;
      const facts = { config, workers, sources, now, log, keepAll: true } as const;
      const run = (active: ActiveEvents): Promise<Outcome> => detect(alarm, active, facts);
      return await work({ db, config, alarm, now, detect: run });
    } finally {
      await workers.close();
      await sources.close();
    }
  };
  return await withDatabase(readConfig(options), open, "plan");
}

function withParams(alarm: Alarm, given: JsonObject, configured: ReadonlySet<string>): Alarm {
  const { row, module } = alarm;
  if (module === undefined) return alarm;
  const params = { ...row.params, ...given };
  const readiness = judgeReadiness(module, params, configured);
  return { ...alarm, row: { ...row, params }, readiness };
}
