import type { Command } from "commander";
import { type ListedRun, listEngineRuns } from "../store/engine_runs.ts";
import { countTicks, type ListedSkip, listSkipped } from "../store/skipped_ticks.ts";
import { cut } from "../text/describe.ts";
import { addLimitOption } from "./event_list.ts";
import { addJsonOption, type JsonOption, print, renderTable, renderTime } from "./output.ts";
import { runFacts, skipFacts } from "./run_facts.ts";
import { addConfigOption, type ConfigOption, readConfig, withDatabase } from "./session.ts";

/** Characters of a line; `--json` has all. */
const MAX_DETAILS = 500;

interface ListOptions extends ConfigOption, JsonOption {
  readonly limit: number;
}

export function declare(command: Command): void {
  addJsonOption(addLimitOption(addConfigOption(command), 20)).action(
    async (options: ListOptions) => {
      const { limit, json = false } = options;
      const { items, total } = await withDatabase(readConfig(options), async (db) => {
        const runs = (await listEngineRuns(db, limit, json)).map(runItem);
        const items = [...runs, ...(await listSkipped(db, limit)).map(skippedItem)];
        return { items, total: await countTicks(db, 0, ["engine_run", "skipped_tick"]) };
      });
      const newest = items.toSorted((a, b) => b.time - a.time).slice(0, limit || undefined);
      const headings = ["STARTED", "TOOK", "ALARMS", "DETECTED", "MAILS", "ERRORS", "DETAILS"];
      const rows = newest.map(({ cells }) => cells);
      const runs = newest.map(({ facts }) => facts);
      const lines = renderTable(headings, rows, "no tick has run yet");
      print(options, { total, runs }, lines, total - newest.length);
    },
  );
}

function runItem(run: ListedRun) {
  return {
    time: run.startedAt,
    cells: [
      renderTime(run.startedAt),
      renderDuration(run),
      String(run.alarmsRun),
      String(run.alarmsSeen),
      String(run.notificationsSent),
      String(run.errors),
      cut(run.errorDetails, MAX_DETAILS),
    ],
    facts: runFacts(run),
  };
}

function renderDuration({ startedAt, finishedAt, crashedAt }: ListedRun): string {
  if (finishedAt !== undefined) return `${(finishedAt - startedAt).toFixed(1)} s`;
  return crashedAt === undefined ? "unfinished" : "crashed";
}

function skippedItem(skip: ListedSkip) {
  return {
    time: skip.at,
    cells: [renderTime(skip.at), "skipped", "-", "-", "-", "-", skip.reason],
    facts: skipFacts(skip),
  };
}
