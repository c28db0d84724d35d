import type { Command } from "commander";
import { type ListedRun, listEngineRuns } from "../store/engine_runs.ts";
import { type ListedSkip, listSkipped } from "../store/skipped_ticks.ts";
import { cut } from "../text/describe.ts";
import { parseCount } from "./event_list.ts";
import { printJson, printLines, renderTable, renderTime } from "./output.ts";
import { addConfigOption, type ConfigOption, readConfig, withDatabase } from "./session.ts";

/** Characters of a line; `--json` has all. */
const MAX_DETAILS = 500;

interface ListOptions extends ConfigOption {
  readonly limit: number;
  readonly json?: boolean;
}

/** One line of the list, as text and as facts. */
interface Item {
  /** Epoch seconds. */
  readonly time: number | undefined;
  readonly cells: readonly string[];
  readonly facts: object;
}

/** `run list`: the record of the last ticks. */
export function declareRunList(command: Command): void {
  addConfigOption(command)
    .option("--limit <n>", "at most so many, newest first", parseCount, 20)
    .option("--json", "print as JSON")
    .action(async (options: ListOptions) => {
      const items = await withDatabase(readConfig(options), async (db) =>
        newestFirst([
          ...(await listEngineRuns(db, options.limit)).map(runItem),
          ...(await listSkipped(db, options.limit)).map(skippedItem),
        ]).slice(0, options.limit),
      );
      if (options.json === true) return printJson(items.map(({ facts }) => facts));
      printLines(
        renderTable(
          ["STARTED", "TOOK", "ALARMS", "DETECTED", "MAILS", "ERRORS", "WHAT WENT WRONG"],
          items.map(({ cells }) => cells),
          "no tick has run yet",
        ),
      );
    });
}

/** Runs of other programs may lack their time; those come last. */
function newestFirst(items: readonly Item[]): readonly Item[] {
  return items.toSorted((a, b) => (b.time ?? 0) - (a.time ?? 0));
}

function runItem(run: ListedRun): Item {
  return {
    time: run.startedAt,
    cells: [
      renderTime(run.startedAt),
      renderLength(run),
      String(run.alarmsRun),
      String(run.alarmsSeen),
      String(run.notificationsSent),
      String(run.errors),
      cut(run.errorDetails, MAX_DETAILS),
    ],
    facts: runFacts(run),
  };
}

function renderLength({ startedAt, finishedAt, crashedAt }: ListedRun): string {
  if (finishedAt !== undefined && startedAt !== undefined)
    return `${(finishedAt - startedAt).toFixed(1)} s`;
  return crashedAt === undefined ? "unfinished" : "crashed";
}

function skippedItem({ id, at, host, pid, reason }: ListedSkip): Item {
  return {
    time: at,
    cells: [renderTime(at), "skipped", "-", "-", "-", "-", reason],
    facts: { id, skipped: true, at, host, pid, reason },
  };
}

/** A tick's record as facts, in the words of its row. */
function runFacts(run: ListedRun) {
  return {
    id: run.id,
    started_at: run.startedAt ?? null,
    finished_at: run.finishedAt ?? null,
    crashed_at: run.crashedAt ?? null,
    alarms_run: run.alarmsRun,
    alarms_seen: run.alarmsSeen,
    notifications_sent: run.notificationsSent,
    errors: run.errors,
    error_details: run.errorDetails,
    per_alarm: run.perAlarm,
  };
}
