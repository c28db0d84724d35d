import type { Command } from "commander";
import type { Alarm } from "../alarm/load_alarms.ts";
import { judgeReadiness } from "../alarm/readiness.ts";
import type { Config } from "../config/config.ts";
import { ENGINE } from "../core/event_key.ts";
import type { Outcome } from "../core/model.ts";
import { detect } from "../engine/detect.ts";
import { Sources } from "../engine/sources.ts";
import { openWorkerPool } from "../engine/workers.ts";
import type { Database } from "../store/database.ts";
import { activeEvents } from "../store/events.ts";
import type { JsonObject } from "../text/json.ts";
import { findAlarm, NotFound } from "./alarms.ts";
import { consoleLog } from "./console_log.ts";
import { EXIT, type SetExit } from "./exit_code.ts";
import { addJsonOption, type JsonOption, print } from "./output.ts";
import { parseParams } from "./param_option.ts";
import { redact } from "./secrets.ts";
import { addConfigOption, type ConfigOption, readConfig, withDatabase } from "./session.ts";

interface TryOptions extends ConfigOption, JsonOption {
  readonly param?: readonly string[];
}

export function declare(command: Command, setExit: SetExit): void {
  addConfigOption(command.argument("<name>", "name of the alarm")).option(
    "--param <name=value...>",
    "use this value instead of the row's",
  );
  addJsonOption(command).action(async (name: string, options: TryOptions) => {
    const { alarm, outcome } = await tryAlarm(name, options);
    print(options, outcomeFacts(alarm, outcome), renderOutcome(outcome));
    setExit(outcome.status === "complete" ? EXIT.ok : EXIT.failed);
  });
}

async function tryAlarm(name: string, options: TryOptions) {
  const work = async (db: Database, config: Config) => {
    const found = await findAlarm(db, config, name);
    if (found.row.name === ENGINE)
      throw new NotFound(
        `${ENGINE} is built in: it looks at the tick itself, so that it only runs in ticks`,
      );
    const sources = new Sources(config);
    const log = consoleLog(options.json !== true);
    const workers = openWorkerPool(config, new AbortController().signal, log, redact);
    try {
      const alarm = withParams(found, parseParams(found, options.param ?? []), sources.names);
      const now = Date.now() / 1000;
      const facts = { config, workers, sources, now, log, keepAll: true } as const;
      const active = await activeEvents(db, alarm.row.name);
      return { alarm: alarm.row.name, outcome: await detect(alarm, active, facts) };
    } finally {
      await workers.close();
      await sources.close();
    }
  };
  return await withDatabase(readConfig(options), work, "plan");
}

function outcomeFacts(alarm: string, { status, cause, reasons, detections, seconds }: Outcome) {
  return {
    alarm,
    outcome: status,
    cause,
    reasons,
    seconds: Math.round(seconds * 1000) / 1000,
    detections: [...detections.values()].map(({ dedupeKey: key, ...rest }) => ({ key, ...rest })),
  };
}

function withParams(alarm: Alarm, given: JsonObject, configured: ReadonlySet<string>): Alarm {
  const { module } = alarm;
  if (module === undefined) return alarm;
  const params = { ...alarm.row.params, ...given };
  return { ...alarm, readiness: judgeReadiness(module, params, configured) };
}

function renderOutcome({ status, detections, seconds, reasons }: Outcome): string[] {
  const lines = [...detections.values()].flatMap(({ dedupeKey, subject, body, data }) => [
    `${dedupeKey}: ${subject}`,
    ...(body === "" ? [] : body.trimEnd().split(/\r?\n/)).map((line) => `    ${line}`),
    ...(Object.keys(data).length === 0 ? [] : [`    data ${JSON.stringify(data)}`]),
    "",
  ]);
  const count = `${detections.size} detection(s) in ${seconds.toFixed(2)} s`;
  lines.push(`outcome ${status}: ${count}; nothing was written`);
  return [...lines, ...reasons.map((reason) => `  ${reason}`)];
}
