import type { Command } from "commander";
import type { Alarm } from "../alarm/load_alarms.ts";
import { judgeReadiness } from "../alarm/readiness.ts";
import type { Outcome, SafeDetection } from "../core/model.ts";
import { detect } from "../engine/detect.ts";
import { Sources } from "../engine/sources.ts";
import { openWorkerPool } from "../engine/workers.ts";
import { activeEvents } from "../store/events.ts";
import type { JsonObject } from "../text/json.ts";
import { findAlarm } from "./alarms.ts";
import { consoleLog } from "./console_log.ts";
import { EXIT, type SetExit } from "./exit_code.ts";
import { printJson, printLines } from "./output.ts";
import { parseAssignments } from "./param_option.ts";
import { redact } from "./secrets.ts";
import { addConfigOption, type ConfigOption, readConfig, withPlanDatabase } from "./session.ts";

interface TryOptions extends ConfigOption {
  readonly param?: readonly string[];
  readonly json?: boolean;
}

/** `alarm try`: runs one `detect` now, and neither writes nor mails. */
export function declareAlarmTry(command: Command, setExit: SetExit): void {
  addConfigOption(command.argument("<name>", "name of the alarm"))
    .option(
      "--param <name=value...>",
      "use this value instead of the row's (JSON, or a text as it is)",
    )
    .option("--json", "print as JSON")
    .action(async (name: string, options: TryOptions) => {
      const outcome = await tryAlarm(name, options);
      if (options.json === true) printJson(outcome);
      else printLines(renderOutcome(outcome));
      setExit(outcome.status === "complete" ? EXIT.ok : EXIT.failed);
    });
}

/** What `detect` gave, with all that it yielded. */
type Tried = Omit<Outcome, "detections"> & { readonly detections: readonly SafeDetection[] };

async function tryAlarm(name: string, options: TryOptions): Promise<Tried> {
  return await withPlanDatabase(readConfig(options), async (db, config) => {
    const found = await findAlarm(db, config, name);
    const sources = new Sources(config);
    const log = consoleLog({ verbose: options.json !== true, path: undefined });
    const workers = openWorkerPool(config, new AbortController().signal, log, redact);
    try {
      const alarm = withParams(found, parseAssignments(options.param ?? []), sources.names);
      const now = Date.now() / 1000;
      const active = await activeEvents(db, alarm.row.name);
      const facts = { config, workers, sources, now, log, keepAll: true } as const;
      return whole(await detect(alarm, active, facts));
    } finally {
      await workers.close();
      await sources.close();
    }
  });
}

function whole(outcome: Outcome): Tried {
  const { detections } = outcome;
  const all = [...detections.keys()].map((dedupeKey) => detections.get(dedupeKey));
  return { ...outcome, detections: all.filter((detection) => detection !== undefined) };
}

function withParams(alarm: Alarm, given: JsonObject, configured: ReadonlySet<string>): Alarm {
  const { module } = alarm;
  if (module === undefined) return alarm;
  const row = { ...alarm.row, params: { ...alarm.row.params, ...given } };
  return {
    row,
    module,
    readiness: judgeReadiness({ row, specs: module.params, needs: module.sources, configured }),
  };
}

function renderOutcome(outcome: Tried): string[] {
  const lines: string[] = [];
  for (const { dedupeKey, subject, body, data } of outcome.detections) {
    lines.push(`${dedupeKey}: ${subject}`);
    if (body !== "")
      lines.push(
        ...body
          .trimEnd()
          .split("\n")
          .map((line) => `    ${line}`),
      );
    if (Object.keys(data).length > 0) lines.push(`    data ${JSON.stringify(data)}`);
    lines.push("");
  }
  lines.push(
    `outcome ${outcome.status}: ${outcome.detections.length} detection(s) in ${outcome.seconds.toFixed(2)} s; nothing was written`,
  );
  return [...lines, ...outcome.reasons.map((reason) => `  ${reason}`)];
}
