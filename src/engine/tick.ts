import { readAlarmFolders } from "../alarm/alarm_folders.ts";
import { loadAlarms } from "../alarm/load_alarms.ts";
import type { Channel } from "../channel/channel.ts";
import type { Config } from "../config/config.ts";
import { isAlarmName } from "../core/event_key.ts";
import type { Log } from "../core/log.ts";
import { resolveRecipients } from "../core/recipients.ts";
import { type Database, DatabaseError, type Lock } from "../store/database.ts";
import { latestPerAlarm } from "../store/engine_runs.ts";
import { readStates } from "../store/engine_state.ts";
import { readUnsentMail } from "../store/notifications.ts";
import type { Workers } from "../worker/worker_pool.ts";
import { confirmClock } from "./clock.ts";
import type { Deadline } from "./deadline.ts";
import { detect } from "./detect.ts";
import { Mailing } from "./mailing.ts";
import { notify } from "./notify.ts";
import { pruneOldRows } from "./prune.ts";
import { readQuarantines, updateQuarantines } from "./quarantines.ts";
import { record } from "./record.ts";
import { closeRun, logNotConfigured, makeReport, type TickReport } from "./report.ts";
import { type AlarmResult, ranResult } from "./result.ts";
import { type OpenFacts, openRun } from "./run.ts";
import { sourcesInUse, updateSources } from "./source_states.ts";
import { Sources } from "./sources.ts";
import { fenced, lockTicks } from "./tick_lock.ts";

/** What a tick works with; made once at the edge. */
export interface Engine {
  readonly config: Config;
  readonly db: Database;
  /** Opens the configured channel at the first mail; undefined if none is configured. */
  readonly channel: () => Promise<Channel | undefined>;
  /** Starts the processes that modules run in; the signal ends them. */
  readonly workers: (signal: AbortSignal) => Workers;
  /** Epoch seconds. */
  readonly clock: () => number;
  readonly log: Log;
}

export interface TickOptions extends Pick<OpenFacts, "mode" | "only"> {
  readonly deadline: Deadline;
}

/**
 * One pass over all alarms. Throws if no tick is possible or the tick lost its lock: DatabaseBusy while
 * another tick runs, DatabaseError, AlarmsFolderError.
 */
export async function tick(engine: Engine, options: TickOptions): Promise<TickReport> {
  const { config, clock, log } = engine;
  const { mode, only, deadline } = options;
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
    const { alarms, errors, newModules, teams } = await loadAlarms({
      db,
      modules,
      load: (file) => workers.load(file),
      sources: sources.names,
      now,
      write: mode !== "plan",
      only,
      decide: quarantines.decide,
      log,
    });

    const unsent = await readUnsentMail(db);
    const mailing = new Mailing(engine.channel, deadline.signal);
    const mailConfigured = config.email.provider !== "none";
    const ran = await Promise.all(
      alarms.map(async (loading): Promise<AlarmResult> => {
        const alarm = await loading;
        const { row, readiness } = alarm;
        if (readiness.kind === "not configured")
          return { kind: "not configured", row, missing: readiness.missing };
        const recipients = resolveRecipients(row.recipients, teams).addresses;
        const recorded = await record(alarm, {
          db,
          run,
          detect: (active) => detect(alarm, active, { config, workers, sources, now, log }),
          recipients,
          clearGuardShare,
        });
        const outOfTime = deadline.signal.aborted;
        const notified = await notify(row, recorded, {
          db,
          mailing,
          run,
          recipients,
          mailConfigured,
          unsent,
        });
        return ranResult({ alarm, recorded, notified, recipients, outOfTime, mode });
      }),
    );
    // Without its lock or its database it can record no more.
    const { reason } = deadline.closed.aborted ? deadline.closed : deadline.signal;
    if (reason instanceof DatabaseError) throw reason;

    const stateFacts = { db, mailing, run, states };
    const results = await updateQuarantines(ran, { ...stateFacts, quarantines });
    const sourceReport = await updateSources(results, {
      ...stateFacts,
      sources: sources.byName,
      operators: config.operators,
      teams,
      unreachableAfter,
      inUse: only === undefined ? sourcesInUse(await Promise.all(alarms)) : undefined,
    });
    const doubts = await confirmClock(db, run.clockCheck, sources.byName, now);
    const report = makeReport({
      startedAt: now,
      results,
      newModules,
      errors: [...errors, ...doubts],
      sources: sourceReport,
    });
    logNotConfigured(report, previous, log);

    const closeErrors = await closeRun(db, run, report);
    const isWhole = mode === "tick" && only === undefined && !deadline.signal.aborted;
    const prunes = isWhole && doubts.length === 0;
    const pruneErrors =
      prunes && closeErrors.length === 0 ? await pruneOldRows(db, config.retention, now, log) : [];
    return { ...report, errors: [...report.errors, ...closeErrors, ...pruneErrors] };
  } finally {
    await Promise.allSettled([workers.close(), sources.close()]);
    await lock?.release();
  }
}
