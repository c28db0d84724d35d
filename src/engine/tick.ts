import { readAlarmFolders } from "../alarm/alarm_folders.ts";
import { loadAlarms } from "../alarm/load_alarms.ts";
import type { Channel } from "../channel/channel.ts";
import type { Opener } from "../channel/channel_type.ts";
import type { ConfiguredChannel } from "../channel/registry.ts";
import type { Config } from "../config/config.ts";
import { isAlarmName } from "../core/event_key.ts";
import type { Log } from "../core/log.ts";
import { resolveRecipients } from "../core/recipients.ts";
import { type Database, DatabaseError, type Lock } from "../store/database.ts";
import { latestPerAlarm } from "../store/engine_runs.ts";
import { readStates, settlingOf } from "../store/engine_state.ts";
import { readUnsent } from "../store/unsent.ts";
import type { JsonObject } from "../text/json.ts";
import type { Workers } from "../worker/worker_pool.ts";
import { openQueues } from "./channel_queue.ts";
import { confirmClock } from "./clock.ts";
import type { Deadline } from "./deadline.ts";
import { detect } from "./detect.ts";
import { runEngineAlarm } from "./engine_alarm.ts";
import { notify } from "./notify.ts";
import { pruneOldRows } from "./prune.ts";
import { readQuarantines, updateQuarantines } from "./quarantines.ts";
import { record } from "./record.ts";
import { closeRun, logNotConfigured, makeReport, type TickReport } from "./report.ts";
import { type AlarmResult, ranResult } from "./result.ts";
import { type OpenFacts, openRun } from "./run.ts";
import { sourcesInUse, updateSources } from "./source_states.ts";
import { Sources } from "./sources.ts";
import { endStopped } from "./stopped_alarms.ts";
import { fenced, lockTicks } from "./tick_lock.ts";

/** What a tick works with; made once at the edge. */
export interface Engine {
  readonly config: Config;
  readonly db: Database;
  /** The configured channels, by name. */
  readonly channels: ReadonlyMap<string, ConfiguredChannel>;
  /** Opens one at its first notification. */
  readonly openChannel: (opener: Opener) => Promise<Channel>;
  /** Starts the processes that modules run in; the signal ends them. */
  readonly workers: (signal: AbortSignal) => Workers;
  /** Epoch seconds. */
  readonly clock: () => number;
  readonly log: Log;
}

export interface TickOptions extends Pick<OpenFacts, "mode" | "only"> {
  readonly deadline: Deadline;
  /** In a plan of some alarms: instead of the values in their rows. */
  readonly params?: JsonObject | undefined;
}

/**
 * One pass over all alarms. Throws if no tick is possible or the tick lost its lock: DatabaseBusy while
 * another tick runs, DatabaseError, AlarmsFolderError.
 */
export async function tick(engine: Engine, options: TickOptions): Promise<TickReport> {
  const { config, clock, log } = engine;
  const { mode, only, deadline, params } = options;
  const files = readAlarmFolders(config.engine, log).filter(({ name }) => isAlarmName(name));
  const modules = new Map(files.map((file) => [file.name, file]));
  const sources = new Sources(config);
  const workers = engine.workers(deadline.signal);
  let lock: Lock | undefined;
  try {
    sources.preloadHttpClient();

    if (mode !== "plan") lock = await lockTicks(engine);

    const run = await openRun(engine.db, { mode, only, clock });
    const { now, generation } = run;
    const db = lock ? fenced({ db: engine.db, lock, generation, onLost: deadline.end }) : engine.db;

    const previous = await latestPerAlarm(db, now);
    const states = await readStates(db);
    const { quarantineAfter, clearGuardShare, unreachableAfter } = config.engine;
    const quarantines = readQuarantines({ states, modules, only, now, after: quarantineAfter });
    const {
      alarms,
      stopped,
      errors,
      newModules,
      teams,
      engine: builtIn,
    } = await loadAlarms({
      db,
      modules,
      load: (file) => workers.load(file),
      sources: sources.names,
      channels: engine.channels,
      operators: config.operators,
      now,
      write: mode !== "plan",
      only,
      params,
      decide: quarantines.decide,
      log,
    });

    const unsent = await readUnsent(
      db,
      stopped.map(({ row }) => row.name),
    );
    const queues = openQueues(engine, deadline, unsent);
    const ran = await Promise.all(
      alarms.map(async (loading): Promise<AlarmResult> => {
        const alarm = await loading;
        const { row, readiness } = alarm;
        if (readiness.kind === "not configured")
          return { kind: "not configured", row, missing: readiness.missing };
        const recorded = await record(alarm, {
          db,
          run,
          detect: (active) => detect(alarm, active, { config, db, workers, sources, now, log }),
          teams,
          settling: settlingOf(states, row.name),
          clearGuardShare,
        });
        const outOfTime = deadline.signal.aborted;
        const notified = await notify(row, recorded, { db, run, queues, teams, unsent });
        const recipients = resolveRecipients(row.recipients, teams).addresses;
        return ranResult({ alarm, recorded, notified, recipients, outOfTime, mode });
      }),
    );
    // Without its lock or its database it can record no more.
    const { reason } = deadline.closed.aborted ? deadline.closed : deadline.signal;
    if (reason instanceof DatabaseError) throw reason;

    const updated = await updateQuarantines(ran, { db, run, states, quarantines });
    const sourceReport = await updateSources(updated, {
      db,
      run,
      states,
      sources: sources.byName,
      inUse: only === undefined ? sourcesInUse(await Promise.all(alarms)) : undefined,
    });
    const doubts = await confirmClock(db, run.clockCheck, sources.byName, now);
    const isWhole = mode === "tick" && only === undefined && !deadline.signal.aborted;
    // Out of time, this alarm has some seconds more; what was cut short says nothing about the channels.
    const lastQueues = deadline.signal.aborted
      ? openQueues(engine, { signal: deadline.notified, patientUntil: 0 }, unsent)
      : queues;
    const results = [
      ...updated,
      ...(await endStopped(stopped, { db, run, queues: lastQueues, teams, unsent, states })),
    ];
    if (builtIn !== undefined)
      results.push(
        await runEngineAlarm({
          db,
          run,
          queues: lastQueues,
          teams,
          unsent,
          states,
          sources: sourceReport,
          isWhole,
          row: builtIn,
          results: updated,
          channels: engine.channels,
          unreachableAfter,
          clockDoubt: doubts[0],
        }),
      );
    const report = makeReport({
      startedAt: now,
      results,
      newModules,
      errors: [...errors, ...doubts, ...wrongSettings(engine.channels)],
      sources: sourceReport,
    });
    logNotConfigured(report, previous, log);

    const closeErrors = await closeRun(db, run, report);
    const prunes = isWhole && doubts.length === 0;
    const pruneErrors =
      prunes && closeErrors.length === 0 ? await pruneOldRows(db, config.retention, now, log) : [];
    return { ...report, errors: [...report.errors, ...closeErrors, ...pruneErrors] };
  } finally {
    await Promise.allSettled([workers.close(), sources.close()]);
    await lock?.release();
  }
}

function wrongSettings(channels: Engine["channels"]): readonly string[] {
  return [...channels.values()].flatMap(({ name, faults }) =>
    faults.map((fault) => `the channel ${name} cannot be used: ${fault}`),
  );
}
