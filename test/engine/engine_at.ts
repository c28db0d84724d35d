import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { ConfiguredChannel } from "../../src/channel/registry.ts";
import type { Config } from "../../src/config/config.ts";
import type { Mode } from "../../src/core/model.ts";
import { startDeadline } from "../../src/engine/deadline.ts";
import type { TickReport } from "../../src/engine/report.ts";
import { type Engine, tick } from "../../src/engine/tick.ts";
import { type Database, DatabaseBusy } from "../../src/store/database.ts";
import { migrate } from "../../src/store/migrate.ts";
import { emailTo, mainService, noChannels } from "../support/configured.ts";
import { inProcessWorkers } from "../support/in_process_workers.ts";

/** The engine in this process, with a clock that the test sets; everything else is real. */
export interface EngineAt {
  readonly db: Database;
  readonly alarmsDir: string;
  /** Epoch seconds. */
  now: number;
  readonly log: string[];
  module(file: string, text: string): void;
  /** Makes the alarm `name`, or changes what it does. */
  says(name: string, what: Says): void;
  /** One tick at the time that the clock shows. Undefined when it was skipped. */
  tick(mode?: Mode, only?: readonly string[]): Promise<TickReport | undefined>;
  /** Takes settings of `[engine]` that are not the usual ones, operators, services and `[retention]`. */
  configure(changes: EngineChanges): void;
  /** The configured channels; at first `email`, into the outbox folder. */
  channels: ReadonlyMap<string, ConfiguredChannel>;
  /** Names of the mails in the outbox folder. */
  mails(): readonly string[];
  /** Puts something in the way of the outbox, or takes it away. */
  blockMail(blocked: boolean): void;
}

export type EngineChanges = Partial<Config["engine"]> & {
  operators?: Config["operators"];
  retention?: Config["retention"];
  sources?: Config["sources"];
};

/** What the clock shows at first; a whole second, so that times compare exactly. */
export const START = 1_800_000_000;

/** Usual settings of `[engine]`, without any folder. */
export function engineSettings(): Config["engine"] {
  return {
    maxConnections: 4,
    requestTimeout: 5,
    tickTimeout: 240,
    limits: { timeout: 30, memory: 512, detections: 100_000 },
    logPath: undefined,
    alarmFolders: [],
    quarantineAfter: 3,
    clearGuardShare: 0.8,
    unreachableAfter: 1800,
  };
}

export async function engineAt(open: () => Promise<Database>): Promise<EngineAt> {
  const folder = mkdtempSync(join(tmpdir(), "swf-alarms-engine-"));
  const [alarmsDir, outbox] = [join(folder, "alarms"), join(folder, "outbox")];
  mkdirSync(alarmsDir);
  const db = await open();
  onTestFinished(async () => {
    await db.close();
    rmSync(folder, { recursive: true, force: true });
  });
  await migrate(db);
  let config: Config = {
    engine: { ...engineSettings(), alarmFolders: [{ path: alarmsDir }] },
    sources: mainService("http://127.0.0.1:9"),
    db: { kind: "embedded", path: "unused" },
    channels: noChannels(),
    operators: [],
    retention: {
      engineRunsDays: undefined,
      clearedEventsDays: undefined,
      notificationsDays: undefined,
    },
  };
  const log: string[] = [];
  const keep = (level: string) => (message: string) => {
    log.push(`${level} ${message}`);
  };
  const engineLog = { error: keep("error"), info: keep("info"), debug: keep("debug") };
  const at: EngineAt = {
    db,
    alarmsDir,
    channels: emailTo(outbox),
    now: START,
    log,
    module: (file, text) => writeFileSync(join(alarmsDir, file), text),
    says: (name, what) => {
      const path = join(folder, `${name}.json`);
      writeFileSync(path, JSON.stringify(what));
      // A module file that is written anew is a changed module, which lifts a quarantine.
      if (!existsSync(join(alarmsDir, `${name}.js`))) at.module(`${name}.js`, says(path));
    },
    tick: async (mode = "tick", only) => {
      const engine: Engine = {
        config,
        db,
        workers: inProcessWorkers,
        channels: at.channels,
        openChannel: ({ open }) => open(engineLog.info),
        clock: () => at.now,
        log: engineLog,
      };
      try {
        return await tick(engine, {
          mode,
          only: only === undefined ? undefined : new Set(only),
          deadline: startDeadline(config.engine.tickTimeout),
        });
      } catch (error) {
        if (error instanceof DatabaseBusy) return undefined;
        throw error;
      }
    },
    configure: (changes) => {
      const { operators, retention, sources, ...engine } = changes;
      config = {
        ...config,
        operators: operators ?? config.operators,
        retention: retention ?? config.retention,
        sources: sources ?? config.sources,
        engine: { ...config.engine, ...engine },
      };
    },
    mails: () => {
      try {
        return readdirSync(outbox).sort();
      } catch {
        return [];
      }
    },
    blockMail: (blocked) => {
      rmSync(outbox, { recursive: true, force: true });
      if (blocked) writeFileSync(outbox, "in the way");
    },
  };
  return at;
}

/** What the `says` module does at its next run. */
export interface Says {
  readonly keys?: readonly string[];
  /** By key: recipients of that detection alone. */
  readonly recipients?: { readonly [key: string]: readonly string[] };
  /** By key: the severity of that detection. */
  readonly severities?: { readonly [key: string]: string };
  /** By key: why it says that the event has ended. */
  readonly clears?: { readonly [key: string]: string };
  /** It calls `incomplete` with this. */
  readonly incomplete?: string;
  /** It throws this after what it yields. */
  readonly fails?: string;
}

/** A module that does what its `<name>.json` says. */
function says(path: string): string {
  return `import { readFileSync } from "node:fs";
export const SOURCES = [];
export function* detect(client) {
  const { keys = [], recipients = {}, severities = {}, clears = {}, incomplete, fails } = JSON.parse(readFileSync(${JSON.stringify(path)}, "utf8"));
  for (const key of keys)
    yield { dedupeKey: key, subject: key + " is wrong", recipients: recipients[key], severity: severities[key] };
  for (const [dedupeKey, clear] of Object.entries(clears)) yield { dedupeKey, clear };
  if (incomplete !== undefined) client.incomplete(incomplete);
  if (fails !== undefined) throw new Error(fails);
}`;
}
