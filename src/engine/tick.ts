import { readAlarmFolders } from "../alarm/alarm_folders.ts";
import type { ModuleFile } from "../alarm/discover.ts";
import { type Alarm, loadAlarms } from "../alarm/load_alarms.ts";
import type { Channel } from "../channel/channel.ts";
import type { Config } from "../config/config.ts";
import { guardClears } from "../core/clear_guard.ts";
import { decideDetails } from "../core/kept_details.ts";
import type { Log } from "../core/log.ts";
import type { ActiveEvents, Mode, Outcome, Team } from "../core/model.ts";
import { decideNotice } from "../core/notice.ts";
import { resolveRecipients } from "../core/recipients.ts";
import { reconcile } from "../core/reconcile.ts";
import type { Database } from "../store/database.ts";
import {
  closeCrashedRuns,
  closeEngineRun,
  lastPerAlarm,
  openEngineRun,
} from "../store/engine_runs.ts";
import { readStates } from "../store/engine_state.ts";
import { activeEvents } from "../store/events.ts";
import type { States } from "../store/saved_states.ts";
import { listTeams } from "../store/teams.ts";
import { readUnsentMail, type UnsentMail, unsentClears } from "../store/unsent.ts";
import { errorText } from "../text/describe.ts";
import type { Redact } from "../text/redact.ts";
import type { Workers } from "../worker/worker_pool.ts";
import { applyPlan, nameOpened } from "./apply.ts";
import { Budget, staleAfter } from "./budget.ts";
import { afterLostLock, collect, NOT_BEGUN } from "./collect.ts";
import { Mailing } from "./mailing.ts";
import { notify } from "./notify.ts";
import { isLeftOut, keepTurn, leftOut, type Turn, takeTurn } from "./quarantine.ts";
import { makeReport, runSummary, sayNotConfigured, type TickReport } from "./report.ts";
import { type AlarmResult, type RanResult, ranResult, unrecordedResult } from "./result.ts";
import { retain } from "./retain.ts";
import { watchSources } from "./source_state.ts";
import { Sources } from "./sources.ts";
import { TickLock } from "./tick_lock.ts";

/** What a tick works with; made once at the edge. */
export interface Engine {
  readonly config: Config;
  readonly db: Database;
  /** Opens the configured channel at the first mail; undefined where none is configured. */
  readonly channel: () => Promise<Channel | undefined>;
  /** Opens the place where alarm modules run; the signal ends what runs there. */
  readonly host: (signal: AbortSignal) => Workers;
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

/**
 * One pass over all alarms: lock, open the record, load; per alarm read its events, detect, reconcile,
 * apply and notify; look at how the sources answered, close the record, remove what is no longer kept,
 * unlock. Throws only where no tick is possible at all: DatabaseBusy when another one is at work.
 */
export async function tick(engine: Engine, options: TickOptions): Promise<TickReport> {
  const { config, db, log } = engine;
  const write = options.mode !== "plan";
  const modules = readAlarmFolders(config.engine, log);
  const sources = new Sources(config);
  const budget = new Budget(config.engine.tickTimeout);
  const host = engine.host(budget.signal);
  let lock: TickLock | undefined;
  try {
    sources.prepare();
    if (write) lock = await TickLock.take(engine, staleAfter(config.engine.tickTimeout));
    const now = engine.clock();
    const previous = await lastPerAlarm(db);
    const runId = write ? await openEngineRun(db, now, options.only && [...options.only]) : "";
    if (write) await closeCrashedRuns(db, now, runId);
    const states = await readStates(db);
    const loaded = await loadAlarms({
      ...engine,
      modules,
      host,
      sources: sources.names,
      now,
      write,
      only: options.only,
      isLeftOut: (row) => isLeftOut(row, { config, states, modules, only: options.only, now }),
    });
    const scene = {
      ...engine,
      ...options,
      now,
      runId,
      lock,
      modules,
      sources,
      host,
      budget,
      mailing: new Mailing(engine.channel, budget.signal, engine.redact),
      states,
      owedMail: await readUnsentMail(db),
      teams: await listTeams(db),
    };
    const results = await Promise.all(
      loaded.alarms.map(async (alarm) => await runAlarm(await alarm, scene)),
    );
    const problems = loaded.errors.map(engine.redact);
    const troubles = await watchSources(results, scene);
    const report = makeReport(results, problems, troubles, loaded.newModules, now);
    sayNotConfigured(report, previous, log);
    if (!write) return report;
    const unclosed = await closeRecord(engine, runId, report);
    // A database that did not take the record is asked for no more.
    const late = unclosed.length > 0 ? unclosed : await retain(scene);
    return { ...report, errors: [...report.errors, ...late] };
  } finally {
    budget.stop();
    await Promise.allSettled([host.close(), sources.close()]);
    await lock?.release();
  }
}

/**
 * Gives what went wrong. What the tick did is done, and told, even where its record cannot be closed: the
 * next tick closes it.
 */
async function closeRecord(
  { db, clock, redact }: Engine,
  runId: string,
  report: TickReport,
): Promise<readonly string[]> {
  try {
    await closeEngineRun(db, runId, runSummary(report, clock(), redact));
    return [];
  } catch (error) {
    return [
      `cannot close the record of this tick, which will show as crashed: ${errorText(error)}`,
    ];
  }
}

interface Scene extends Omit<Engine, "host">, TickOptions {
  /** Epoch seconds of the tick. */
  readonly now: number;
  readonly runId: string;
  /** Undefined in a plan. */
  readonly lock: TickLock | undefined;
  readonly modules: readonly ModuleFile[];
  readonly sources: Sources;
  readonly host: Workers;
  readonly budget: Budget;
  readonly mailing: Mailing;
  /** What the ticks before remembered. */
  readonly states: States;
  readonly owedMail: UnsentMail;
  readonly teams: ReadonlyMap<string, Team>;
}

/** One alarm's part of the tick. Its trouble is its own: a failure is its result, never an exception. */
async function runAlarm(alarm: Alarm, scene: Scene): Promise<AlarmResult> {
  const { row, readiness } = alarm;
  if (readiness.kind === "not configured")
    return { kind: "not configured", row, missing: readiness.missing };
  const turn = takeTurn(alarm, scene);
  let outcome = NOT_BEGUN;
  try {
    const grip = scene.lock?.grip;
    let active = await activeEvents(scene.db, row.name);
    outcome = await runTurn(alarm, turn, active, scene);
    await scene.lock?.ensure();
    if (scene.lock?.grip !== grip) {
      active = await activeEvents(scene.db, row.name);
      outcome = afterLostLock(outcome, active);
    }
    return await keepTurn(alarm, turn, await settle(alarm, outcome, active, scene), scene);
  } catch (error) {
    return unrecordedResult(alarm, outcome, error);
  }
}

async function runTurn(
  alarm: Alarm,
  { decision }: Turn,
  active: ActiveEvents,
  scene: Scene,
): Promise<Outcome> {
  if (!decision.run) return leftOut(decision.reason);
  const facts = { alarm: alarm.row, active, now: scene.now };
  return await collect(alarm, active, { ...scene, decideDetails: () => decideDetails(facts) });
}

/** From an outcome to the rows and the mail. */
async function settle(
  alarm: Alarm,
  outcome: Outcome,
  active: ActiveEvents,
  scene: Scene,
): Promise<RanResult> {
  const { db, mode, now } = scene;
  const { row } = alarm;
  const recipients = resolveRecipients(row.recipients, scene.teams);
  const owed = scene.owedMail.hasClears(row.name) ? await unsentClears(db, row.name) : [];
  const wanted = guardClears(reconcile(outcome, active), scene.config.engine.clearGuardShare);
  const named = nameOpened(wanted);
  const { plan, opened } =
    mode === "plan"
      ? { plan: wanted, opened: named }
      : await applyPlan(db, {
          alarm: row,
          plan: wanted,
          opened: named,
          detections: outcome.detections,
          recipients: recipients.addresses,
          now,
        });
  const mailConfigured = scene.config.email.provider !== "none";
  const notice = decideNotice({
    alarm: row,
    plan,
    opened,
    unsentClears: owed,
    recipientCount: recipients.addresses.length,
    mailConfigured,
    mode,
    now,
  });
  const delivery = await notify(db, {
    ...scene,
    alarm: row,
    outcome,
    notice,
    recipients: recipients.addresses,
    mailConfigured,
  });
  return ranResult({ alarm, outcome, plan, notice, recipients, delivery, mode });
}
