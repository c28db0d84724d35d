import type { Channel } from "../channel/channel.ts";
import type { Config } from "../config/config.ts";
import type { Mode, Outcome, Team } from "../core/model.ts";
import { decideNotice } from "../core/notice.ts";
import { resolveRecipients } from "../core/recipients.ts";
import { reconcile } from "../core/reconcile.ts";
import { type Redact, redactOutcome } from "../core/redact.ts";
import type { ModuleHost } from "../modules/runners.ts";
import type { Database } from "../store/database.ts";
import { closeEngineRun, lastPerAlarm, openEngineRun } from "../store/engine_runs.ts";
import { activeEvents } from "../store/events.ts";
import { listTeams } from "../store/teams.ts";
import { checkRights } from "./alarms_folder.ts";
import { applyPlan, nameOpened } from "./apply.ts";
import { Budget } from "./budget.ts";
import { collect } from "./collect.ts";
import { type Alarm, loadAlarms, readAlarmsFolder } from "./load_alarms.ts";
import type { Log } from "./log.ts";
import { deliverNotice } from "./notify.ts";
import { makeReport, runSummary, sayNotConfigured, type TickReport } from "./report.ts";
import { type AlarmResult, ranResult, unrecordedResult } from "./result.ts";
import { Sources } from "./sources.ts";

/** What a tick works with; made once at the edge. */
export interface Engine {
  readonly config: Config;
  readonly db: Database;
  /** Opens the configured channel at the first mail; undefined where none is configured. */
  readonly channel: () => Promise<Channel | undefined>;
  /** Opens the place where alarm modules run; the signal ends what runs there. */
  readonly host: (signal: AbortSignal) => ModuleHost;
  /** Epoch seconds. */
  readonly clock: () => number;
  readonly log: Log;
  /** Takes the secrets out of what goes into rows and mails. */
  readonly redact: Redact;
}

export interface TickOptions {
  readonly mode: Mode;
  /** Only these alarms, by name; undefined means all. */
  readonly only: ReadonlySet<string> | undefined;
}

const TICK_LOCK = "swf-alarms tick";

/**
 * One pass over all alarms: lock, open the record, load, per alarm detect, reconcile, apply and notify,
 * close the record, unlock. Undefined when another tick is at work. Throws only where no tick is
 * possible at all.
 */
export async function tick(engine: Engine, options: TickOptions): Promise<TickReport | undefined> {
  const { config, db, log } = engine;
  const write = options.mode !== "plan";
  const folder = checkRights(config.engine, readAlarmsFolder(config.engine.alarmsDir, log), log);
  const lock = write ? await db.tryLock(TICK_LOCK) : undefined;
  if (write && lock === undefined) return undefined;
  const sources = new Sources(config);
  const budget = new Budget(config.engine.tickTimeout);
  const host = engine.host(budget.signal);
  try {
    const now = engine.clock();
    const previous = await lastPerAlarm(db);
    const runId = write ? await openEngineRun(db, now, options.only && [...options.only]) : "";
    const loaded = await loadAlarms({
      ...engine,
      folder,
      host,
      sources: sources.names,
      now,
      write,
      only: options.only,
    });
    const scene = {
      ...engine,
      mode: options.mode,
      now,
      runId,
      sources,
      host,
      teams: await listTeams(db),
    };
    const results = await Promise.all(
      loaded.alarms.map(async (alarm) => await runAlarm(await alarm, scene)),
    );
    const problems = loaded.problems.map(engine.redact);
    const report = makeReport(results, problems, loaded.newcomers, now);
    sayNotConfigured(report, previous, log);
    if (write) await closeEngineRun(db, runId, runSummary(report, engine.clock(), engine.redact));
    return report;
  } finally {
    budget.stop();
    await host.close();
    await sources.close();
    await lock?.release();
  }
}

interface Scene extends Omit<Engine, "host"> {
  readonly mode: Mode;
  /** Epoch seconds of the tick. */
  readonly now: number;
  readonly runId: string;
  readonly sources: Sources;
  readonly host: ModuleHost;
  readonly teams: ReadonlyMap<string, Team>;
}

/** One alarm's part of the tick. Its trouble is its own: a failure is its result, never an exception. */
async function runAlarm(alarm: Alarm, scene: Scene): Promise<AlarmResult> {
  const { row, readiness } = alarm;
  if (readiness.kind === "not configured")
    return { kind: "not configured", row, missing: readiness.missing };
  const outcome = redactOutcome(await collect(alarm, scene), scene.redact);
  try {
    return await settle(alarm, outcome, scene);
  } catch (error) {
    return unrecordedResult(alarm, outcome, error);
  }
}

/** From an outcome to the rows and the mail. */
async function settle(alarm: Alarm, outcome: Outcome, scene: Scene): Promise<AlarmResult> {
  const { db, mode, now } = scene;
  const { row } = alarm;
  const recipients = resolveRecipients(row.recipients, scene.teams);
  const plan = reconcile(outcome, await activeEvents(db, row.name));
  const named = nameOpened(plan);
  const opened =
    mode === "plan"
      ? named
      : await applyPlan(db, {
          alarm: row,
          plan,
          opened: named,
          recipients: recipients.addresses,
          now,
        });
  const notice = decideNotice({
    alarm: row,
    plan,
    opened,
    addresses: recipients.addresses.length,
    mailConfigured: scene.config.email.provider !== "none",
    mode,
    now,
  });
  const channel = notice.send ? await scene.channel() : undefined;
  const delivery =
    channel === undefined
      ? { sent: false, error: undefined }
      : await deliverNotice(db, channel, {
          ...scene,
          alarm: row,
          outcome,
          notice,
          recipients: recipients.addresses,
        });
  return ranResult({ alarm, outcome, plan, notice, recipients, delivery });
}
