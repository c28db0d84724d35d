import type { Command } from "commander";
import { type ListedRun, listEngineRuns } from "../store/engine_runs.ts";
import { parseCount } from "./event_list.ts";
import { printJson, printLines, renderTable, renderTime } from "./output.ts";
import { addConfigOption, type ConfigOption, withDatabase } from "./session.ts";

interface ListOptions extends ConfigOption {
  readonly limit: number;
  readonly json?: boolean;
}

/** `run list`: the record of the last ticks. */
export function addRunList(run: Command): void {
  addConfigOption(run.command("list"))
    .summary("list the last ticks and how they went")
    .option("--limit <n>", "at most so many, newest first", parseCount, 20)
    .option("--json", "print as JSON")
    .action(async (options: ListOptions) => {
      const runs = await withDatabase(options, (db) => listEngineRuns(db, options.limit));
      if (options.json === true) return printJson(runs.map(runFacts));
      const rows = runs.map((item) => [
        renderTime(item.startedAt),
        item.finishedAt === undefined || item.startedAt === undefined
          ? "unfinished"
          : `${(item.finishedAt - item.startedAt).toFixed(1)} s`,
        String(item.alarmsRun),
        String(item.alarmsSeen),
        String(item.notificationsSent),
        String(item.errors),
        item.errorDetails,
      ]);
      printLines(
        renderTable(
          ["STARTED", "TOOK", "ALARMS", "DETECTED", "MAILS", "ERRORS", "WHAT WENT WRONG"],
          rows,
          "no tick has run yet",
        ),
      );
    });
}

/** A tick's record as facts, in the words of its row. */
function runFacts(run: ListedRun) {
  return {
    id: run.id,
    started_at: run.startedAt ?? null,
    finished_at: run.finishedAt ?? null,
    alarms_run: run.alarmsRun,
    alarms_seen: run.alarmsSeen,
    notifications_sent: run.notificationsSent,
    errors: run.errors,
    error_details: run.errorDetails,
    per_alarm: run.perAlarm,
  };
}
