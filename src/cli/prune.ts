import { type Command, InvalidArgumentError, Option } from "commander";
import type { Config } from "../config/config.ts";
import { checkClock } from "../core/clock.ts";
import { ExpectedError } from "../core/expected_error.ts";
import { type PrunedKind, renderRemoved } from "../core/retention.ts";
import { confirmClock } from "../engine/clock.ts";
import type { Database } from "../store/database.ts";
import { lastTimes } from "../store/engine_runs.ts";
import { saveCertain } from "../store/engine_state.ts";
import { countOld, pruneSome } from "../store/retention.ts";
import { utcMinute } from "../text/utc.ts";
import { EXIT, type ExitCode, type SetExit } from "./exit_code.ts";
import { addJsonOption, type JsonOption, jsonTime, print, renderTable } from "./output.ts";
import { addConfigOption, type ConfigOption, readConfig, withDatabase } from "./session.ts";
import { onStopSignal } from "./stop_signals.ts";

interface PruneOptions extends ConfigOption, JsonOption {
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly confirmClock?: boolean;
}

/** Milliseconds. */
const TELL_EVERY = 4_000;

export function declare(command: Command, setExit: SetExit): void {
  addConfigOption(command)
    .description(
      "Removes all rows that are older than [retention] allows. Ticks do the same, a limited number at a time. Ctrl-C is safe; run it again to continue.",
    )
    .addOption(new Option("--dry-run", "only show what would be removed").conflicts("confirmClock"))
    .option("--yes", "remove it")
    .option("--confirm-clock", "with --yes: this host's clock is right");
  addJsonOption(command).action(async (options: PruneOptions) => {
    if ((options.dryRun === true) === (options.yes === true))
      throw new InvalidArgumentError(
        "use prune --dry-run to see what would be removed, or prune --yes to remove it",
      );
    if (options.yes === true) setExit(await removeAll(options));
    else await showOld(options);
  });
}

async function showOld(options: PruneOptions): Promise<void> {
  const old = await withDatabase(readConfig(options), (db, { retention }) =>
    countOld(db, retention, Date.now() / 1000),
  );
  const cell = (at: number | null): string => (at === null ? "-" : utcMinute(at));
  const rows = old.map(({ kind, rows, oldest, newest }) => {
    return [kind, String(rows), cell(oldest), cell(newest)];
  });
  const time = (at: number | null) => jsonTime(at ?? undefined);
  const headings = ["TO REMOVE", "ROWS", "OLDEST", "NEWEST"];
  print(
    options,
    {
      to_remove: old.map(({ kind, rows, oldest, newest }) => {
        return { kind, rows, oldest: time(oldest), newest: time(newest) };
      }),
    },
    renderTable(headings, rows, "[retention] keeps all rows forever"),
  );
}

async function removeAll(options: PruneOptions): Promise<ExitCode> {
  const read = readConfig(options);
  const stop = new AbortController();
  onStopSignal(() => stop.abort());
  let toldAt = performance.now();
  const removed = new Map<PrunedKind, number>();
  const removeSome = async (db: Database, { retention }: Config): Promise<boolean> => {
    const now = Date.now() / 1000;
    if (options.confirmClock === true) await db.transaction((tx) => saveCertain(tx, now, now));
    const { certain, newest } = await lastTimes(db);
    const check = checkClock(certain ?? newest ?? now, new Map(), now);
    // With a wrong clock everything may look old.
    for (const doubt of await confirmClock(db, check, new Map(), now))
      throw new ExpectedError(`removed nothing: ${doubt}`);
    while (!stop.signal.aborted) {
      const some = await db.transaction((tx) => pruneSome(tx, retention, Date.now() / 1000));
      if (some.size === 0) return true;
      for (const [kind, rows] of some) removed.set(kind, (removed.get(kind) ?? 0) + rows);
      if (!process.stderr.isTTY || performance.now() - toldAt < TELL_EVERY) continue;
      toldAt = performance.now();
      process.stderr.write(`removed so far: ${renderRemoved(removed)}\n`);
    }
    return false;
  };
  const finished = await withDatabase(read, removeSome, "write");
  const what = renderRemoved(removed);
  const lines = what === "" ? [] : [`removed ${what}`];
  if (!finished) lines.push("stopped before the end; run prune --yes again to continue");
  else if (what === "") lines.push("nothing to remove");
  const counts = [...removed].map(([kind, rows]) => ({ kind, rows }));
  print(options, { removed: counts, finished }, lines);
  return finished ? EXIT.ok : EXIT.failed;
}
