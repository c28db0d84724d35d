import { readAlarmFolders } from "../alarm/alarm_folders.ts";
import { loadAlarms } from "../alarm/load_alarms.ts";
import type { Channel } from "../channel/channel.ts";
import type { Config } from "../config/config.ts";
import type { Log } from "../core/log.ts";
import type { Mode } from "../core/model.ts";
import { resolveRecipients } from "../core/recipients.ts";
import type { Database, Lock } from "../store/database.ts";
import {
  closeCrashedRuns,
  closeEngineRun,
  latestPerAlarm,
  openEngineRun,
} from "../store/engine_runs.ts";
import { readStates } from "../store/engine_state.ts";
import { readUnsentMail } from "../store/notifications.ts";
import { listTeams } from "../store/teams.ts";
import { errorText } from "../text/describe.ts";
import type { Workers } from "../worker/worker_pool.ts";
import { startDeadline } from "./deadline.ts";
import { detect } from "./detect.ts";
import { Mailing } from "./mailing.ts";
import { notify } from "./notify.ts";
import { pruneOldRows } from "./prune.ts";
import { readQuarantines, updateQuarantine } from "./quarantines.ts";
import { record } from "./record.ts";
import { logNotConfigured, makeReport, runSummary, type TickReport } from "./report.ts";
import { type AlarmResult, ranResult } from "./result.ts";
import { updateSources } from "./source_states.ts";
import { Sources } from "./sources.ts";
import { lockTicks, requireLock } from "./tick_lock.ts";

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

export interface TickOptions {
  readonly mode: Mode;
  /** Only these alarms, by name; undefined means all. */
  readonly only: ReadonlySet<string> | undefined;
}

/**
 * One pass over all alarms. Throws if no tick is possible or the tick lost its lock: DatabaseBusy while
 * another tick runs, DatabaseError, AlarmsFolderError.
 */
export async function tick(engine: Engine, { mode, only }: TickOptions): Promise<TickReport> {
  const { config, db, clock, log } = engine;
  const isPlan = mode === "plan";
  const modules = new Map(readAlarmFolders(config.engine, log).map((file) => [file.name, file]));
  const sources = new Sources(config);
  const deadline = startDeadline(config.engine.tickTimeout);
  const workers = engine.workers(deadline.signal);
  let lock: Lock | undefined;
  try {
    sources.prepare();

    if (!isPlan) lock = await lockTicks(engine);

    const now = clock();
    const previous = await latestPerAlarm(db);
    const runId = isPlan ? "" : await openEngineRun(db, now, only && [...only]);
    if (!isPlan) await closeCrashedRuns(db, now, runId);

    const states = await readStates(db);
    const { quarantineAfter: after, clearGuardShare, unreachableAfter } = config.engine;
    const quarantines = readQuarantines({ states, modules, only, now, after });
    const loaded = await loadAlarms({
      db,
      modules,
      load: (file) => workers.load(file),
      sources: sources.names,
      now,
      write: !isPlan,
      only,
      decide: quarantines.decide,
      log,
    });

    const unsent = await readUnsentMail(db);
    const teams = await listTeams(db);
    const mailing = new Mailing(engine.channel, deadline.signal);
    const mailConfigured = config.email.provider !== "none";
    const ran = await Promise.all(
      loaded.alarms.map(async (loading): Promise<AlarmResult> => {
        const alarm = await loading;
        const { row, readiness } = alarm;
        if (readiness.kind === "not configured")
          return { kind: "not configured", row, missing: readiness.missing };
        const recipients = resolveRecipients(row.recipients, teams);
        const { addresses } = recipients;
        const recorded = await record(alarm, {
          db,
          lock,
          detect: (active) => detect(alarm, active, { config, workers, sources, now, log }),
          recipients: addresses,
          clearGuardShare,
          mode,
          now,
        });
        const notified = await notify(row, recorded, {
          db,
          mailing,
          recipients: addresses,
          mailConfigured,
          unsent,
          mode,
          runId,
          now,
          clock,
        });
        return ranResult({ alarm, recorded, notified, recipients, mode });
      }),
    );
    requireLock(lock);

    const about = { db, states, mailing, mode, runId, now, clock };
    const outOfTime = deadline.signal.aborted;
    const results: AlarmResult[] = [];
    for (const result of ran)
      results.push(
        result.kind === "ran"
          ? await updateQuarantine(result, { ...about, quarantines, outOfTime })
          : result,
      );
    const sourceReport = await updateSources(results, {
      ...about,
      sources: sources.byName,
      operators: config.operators,
      teams,
      unreachableAfter,
    });

    const { errors, newModules } = loaded;
    const report = makeReport({
      startedAt: now,
      results,
      newModules,
      errors,
      sources: sourceReport,
    });
    logNotConfigured(report, previous, log);
    if (isPlan) return report;
    try {
      await closeEngineRun(db, runId, runSummary(report, clock()));
    } catch (error) {
      const message = `cannot close the record of this tick, which will show as crashed: ${errorText(error)}`;
      return { ...report, errors: [...report.errors, message] };
    }
    if (mode !== "tick" || only !== undefined || deadline.signal.aborted) return report;
    const pruneErrors = await pruneOldRows({ db, retention: config.retention, now, log });
    return { ...report, errors: [...report.errors, ...pruneErrors] };
  } finally {
    deadline.stop();
    await Promise.allSettled([workers.close(), sources.close()]);
    await lock?.release();
  }
}
