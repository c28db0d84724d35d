import { setTimeout as sleep } from "node:timers/promises";
import { type Command, InvalidArgumentError } from "commander";
import { allSweeps, type Sweep } from "../core/retention.ts";
import { addRemoved, renderRemoved, sweepStep } from "../engine/sweep.ts";
import type { Database, Queryable } from "../store/database.ts";
import { countClearedEvents, countNotifications, type Extent } from "../store/prune.ts";
import { countRuns } from "../store/run_days.ts";
import { EXIT, type SetExit } from "./exit_code.ts";
import { printJson, printLines, renderTable, renderTime } from "./output.ts";
import { addConfigOption, type ConfigOption, readConfig, withDatabase } from "./session.ts";

interface PruneOptions extends ConfigOption {
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/**
 * The embedded database belongs to one process at a time, and a tick waits ten seconds for it: prune has
 * it for so many seconds, and then leaves it to others for a moment.
 */
const TURN = 4;
const PAUSE = 500;

/** `prune`: removes at once what the ticks remove bit by bit. */
export function declare(command: Command, setExit: SetExit): void {
  addConfigOption(command)
    .description(
      "Removes at once what [retention] no longer keeps, and what the ticks otherwise remove bit by bit. Can be stopped with Ctrl-C and started again.",
    )
    .option("--dry-run", "only say what would go")
    .option("--yes", "remove it")
    .option("--json", "print as JSON")
    .action(async (options: PruneOptions) => {
      if ((options.dryRun === true) === (options.yes === true))
        throw new InvalidArgumentError(
          "write prune --dry-run to see what would go, or prune --yes to remove it",
        );
      if (options.yes === true) setExit(await removeAll(options));
      else await showDue(options);
    });
}

/** Rows of one sort that are due. */
interface Due extends Extent {
  readonly what: string;
  /** Rows that are made in their place, one a day. */
  readonly days: number;
}

async function showDue(options: PruneOptions): Promise<void> {
  const due = await withDatabase(readConfig(options), async (db, { retention }) => {
    const found: Due[] = [];
    for (const sweep of allSweeps(retention, Date.now() / 1000))
      found.push(...(await countDue(db, sweep)));
    return found;
  });
  if (options.json === true) return printJson(due.map(dueFacts));
  const rows = due.map(({ what, rows, oldest, newest, days }) => [
    what,
    String(rows),
    renderTime(oldest),
    renderTime(newest),
    days === 0 ? "-" : `${days} day(s)`,
  ]);
  printLines(
    renderTable(
      ["WOULD GO", "ROWS", "OLDEST", "NEWEST", "KEPT AS ONE ROW A DAY"],
      rows,
      "[retention] keeps everything for ever",
    ),
  );
}

async function countDue(db: Queryable, sweep: Sweep): Promise<readonly Due[]> {
  switch (sweep.kind) {
    case "engine_runs": {
      const { runs, skipped, days } = await countRuns(db, sweep);
      return [
        { what: "engine runs", ...runs, days },
        { what: "skipped ticks", ...skipped, days: 0 },
      ];
    }
    case "cleared_events":
      return [{ what: "cleared events", ...(await countClearedEvents(db, sweep)), days: 0 }];
    case "notifications":
      return [{ what: "notifications", ...(await countNotifications(db, sweep)), days: 0 }];
  }
}

function dueFacts({ what, rows, oldest, newest, days }: Due) {
  return { what, rows, oldest: oldest ?? null, newest: newest ?? null, days };
}

async function removeAll(options: PruneOptions) {
  const stop = new AbortController();
  const onStop = (): void => stop.abort();
  process.once("SIGINT", onStop).once("SIGTERM", onStop);
  const read = readConfig(options);
  const { config } = read;
  const now = Date.now() / 1000;
  const removed = new Map<string, number>();
  let left = allSweeps(config.retention, now);
  try {
    while (left.length > 0 && !stop.signal.aborted) {
      left = await withDatabase(read, (db) => removeSome(db, left, removed, now, stop.signal));
      if (left.length > 0) showProgress(removed);
      if (left.length > 0 && config.db.kind === "embedded") await sleep(PAUSE);
    }
  } finally {
    process.off("SIGINT", onStop).off("SIGTERM", onStop);
  }
  if (options.json === true)
    printJson({ removed: Object.fromEntries(removed), finished: left.length === 0 });
  else {
    const what = renderRemoved(removed);
    if (what !== "") printLines([`removed ${what}`]);
    if (left.length > 0) printLines(["stopped before the end; prune --yes goes on from here"]);
    else if (what === "") printLines(["nothing to remove"]);
  }
  return left.length === 0 ? EXIT.ok : EXIT.failed;
}

/** For whoever looks on. */
function showProgress(removed: ReadonlyMap<string, number>): void {
  if (process.stderr.isTTY) process.stderr.write(`removed so far: ${renderRemoved(removed)}\n`);
}

/** Works for one turn; gives what is left to do. */
async function removeSome(
  db: Database,
  sweeps: readonly Sweep[],
  removed: Map<string, number>,
  now: number,
  stop: AbortSignal,
): Promise<readonly Sweep[]> {
  const until = performance.now() + TURN * 1000;
  let left = sweeps;
  for (;;) {
    const [sweep, ...others] = left;
    if (sweep === undefined || stop.aborted || performance.now() > until) return left;
    const step = await sweepStep(db, sweep, now);
    addRemoved(removed, step);
    left = step.reached < sweep.before ? [{ ...sweep, from: step.reached }, ...others] : others;
  }
}
