import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import type { Config } from "../../src/config/config.ts";
import type { Mode, Outcome } from "../../src/core/model.ts";
import { startDeadline } from "../../src/engine/deadline.ts";
import { type Engine, tick } from "../../src/engine/tick.ts";
import { createAlarm } from "../../src/store/alarms.ts";
import type { Database } from "../../src/store/database.ts";
import type { Workers } from "../../src/worker/worker_pool.ts";
import { noChannels } from "../support/configured.ts";
import { MortalDatabase } from "./mortal_database.ts";
import { CHANNELS, type ChannelName, type Expected, Receivers } from "./receivers.ts";

/** What one alarm does and meets in one tick. */
export interface AlarmStep {
  readonly status: Outcome["status"];
  readonly detected: readonly string[];
  readonly enabled: boolean;
  /** Renotification window. */
  readonly hours: number;
  readonly addresses: number;
}

export interface Step {
  readonly few: AlarmStep;
  readonly many: AlarmStep;
  readonly fates: Expected["fates"];
  readonly mode: Mode;
  /** Seconds since the tick before. */
  readonly clock: number;
  readonly crash: { readonly statements: number; readonly kept: boolean } | undefined;
}

type Name = "few" | "many";
const NAMES: readonly Name[] = ["few", "many"];

interface EventRow {
  readonly id: string;
  readonly alarm: string;
  readonly key: string;
  readonly isActive: boolean;
  /** By channel. */
  readonly notified: { readonly [channel: string]: number | undefined };
}

/** Detections of these keys have a recipient of their own. */
const OWN = { keys: ["b", "m1"], recipient: "own@example.org" };

/** The guard holds a clear of so many events, if they are more than this share. */
const GUARDED = { least: 10, share: 0.8 };

/** One engine's life: rows, a scripted world around them, and the rules that every tick must keep. */
export class World {
  readonly #db: Database;
  readonly #folder = mkdtempSync(join(tmpdir(), "swf-alarms-world-"));
  #now = 1_800_000_000;
  /** How often the engine was killed. */
  kills = 0;
  receivers: Receivers;
  /** `channel id` of events that cleared while mail was on. */
  #cleared = new Set<string>();
  /** Keys that the last complete outcome missed, with many others, by alarm. */
  #missed = new Map<Name, ReadonlySet<string>>();
  /** Alarms whose last tick was killed. */
  #unsure = new Set<Name>();

  constructor(db: Database) {
    this.#db = db;
    this.receivers = new Receivers(db);
    for (const name of NAMES) writeFileSync(join(this.#folder, `${name}.js`), "");
  }

  async close(): Promise<void> {
    await this.#db.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Everything from the beginning. */
  async reset(): Promise<void> {
    await this.#db.query("DELETE FROM entry_version");
    await this.#db.query("DELETE FROM entry");
    this.kills = 0;
    this.receivers = new Receivers(this.#db);
    this.#cleared = new Set();
    this.#missed = new Map();
    this.#unsure = new Set();
    for (const name of NAMES) {
      const wish = { name, title: undefined, description: undefined, params: {} };
      await this.#db.transaction((tx) => createAlarm(tx, wish, this.#now));
    }
  }

  /** Events, with the channels that should have heard of them and have not. */
  forgotten(): readonly string[] {
    return [...this.#cleared].flatMap((id) =>
      CHANNELS.filter((name) => !this.receivers.knows(name, id)).map((name) => `${name} ${id}`),
    );
  }

  /** Notifications that are not at their end. */
  async open(): Promise<readonly unknown[]> {
    return await this.#db.query(
      "SELECT data FROM entry WHERE kind = 'notification' AND (status <> 'done' OR data ?| '{not_before,pending}')",
    );
  }

  async tick(step: Step): Promise<void> {
    this.#now += step.clock;
    for (const name of NAMES) await this.#configure(name, step[name]);
    const [before, rows] = [await this.#events(), await this.#rows()];
    await this.receivers.begin();
    const db = new MortalDatabase(this.#db, step.crash);
    const expected = this.#expected(step, db, before);
    try {
      await tick(this.#engine(step, expected), {
        mode: step.mode,
        only: undefined,
        deadline: startDeadline(240),
      });
    } catch (error) {
      if (!db.isDead) throw error;
    }
    if (db.isDead) this.kills += 1;
    if (step.mode === "plan") expect(await this.#rows(), "a plan writes nothing").toEqual(rows);
    await this.receivers.end(expected, db.isDead);
    const after = await this.#events();
    if (step.mode !== "plan")
      for (const name of NAMES) this.#check(name, step, before, after, db.isDead);
  }

  #check(
    name: Name,
    step: Step,
    allBefore: readonly EventRow[],
    allAfter: readonly EventRow[],
    isDead: boolean,
  ): void {
    const { status, detected, enabled } = step[name];
    const mine = (event: EventRow): boolean => event.alarm === name;
    const [before, after] = [allBefore.filter(mine), allAfter.filter(mine)];
    const active = after.filter(({ isActive }) => isActive).map(({ key }) => key);
    expect(active.length, "one active event per key").toBe(new Set(active).size);

    const wasActive = before.filter(({ isActive }) => isActive);
    const cleared = wasActive.filter(({ key }) => !active.includes(key));
    for (const { id, key } of cleared) {
      expect(status, "only a complete outcome clears").toBe("complete");
      expect(detected, "what is detected does not clear").not.toContain(key);
      if (enabled) this.#cleared.add(id);
    }
    if (isDead) {
      // What it had come to is not known from outside, and need not be: the next tick is judged again.
      this.#unsure.add(name);
      return;
    }
    for (const key of detected) expect(active).toContain(key);
    // What any outcome detects is there: whether it is gone must be said twice anew.
    const stillMissed = [...(this.#missed.get(name) ?? [])].filter(
      (key) => !detected.includes(key),
    );
    this.#missed.set(name, new Set(stillMissed));
    if (status !== "complete") return;

    const gone = wasActive.filter(({ key }) => !detected.includes(key)).map(({ key }) => key);
    const missed = this.#missed.get(name) ?? new Set();
    const isMass = gone.length >= GUARDED.least && gone.length > GUARDED.share * wasActive.length;
    const left = active.filter((key) => !detected.includes(key)).sort();
    const held = isMass ? gone.filter((key) => !missed.has(key)) : [];
    if (!this.#unsure.delete(name) || !isMass)
      expect(left, "held by the guard").toEqual(held.sort());
    this.#missed.set(name, new Set(isMass ? gone : []));
  }

  #expected(step: Step, db: MortalDatabase, before: readonly EventRow[]): Expected {
    const hoursOf = (alarm: string) => (isName(alarm) ? step[alarm].hours : 0);
    return {
      db,
      now: this.#now,
      fates: step.fates,
      mayNotify: (entryId, recipients) => {
        const alarm = entryId.replace("alarm_", "");
        expect(recipients.length).toBeGreaterThan(0);
        expect(step.mode, "nothing is sent by a plan or a dry run").toBe("tick");
        if (isName(alarm)) expect(step[alarm].enabled, "mail that is off sends nothing").toBe(true);
      },
      isReminder: (channel: ChannelName, id: string) => {
        const event = before.find((each) => each.id === id);
        const last = event?.notified[channel];
        if (event === undefined || last === undefined) return false;
        const hours = hoursOf(event.alarm);
        const isDue = hours > 0 && (this.#now >= last + hours * 3600 || last > this.#now + 300);
        expect(isDue, "named again only when due").toBe(true);
        return true;
      },
    };
  }

  #engine(step: Step, expected: Expected): Engine {
    const nothing = (): void => {};
    return {
      config: this.#config(),
      db: expected.db,
      workers: () => scriptedWorkers(step),
      clock: () => this.#now,
      log: { error: nothing, info: nothing, debug: nothing },
      channels: this.receivers.channels(expected),
      openChannel: ({ open }) => open(nothing),
    };
  }

  async #configure(name: Name, { enabled, hours, addresses }: AlarmStep): Promise<void> {
    const recipients = ["a@example.org", "b@example.org"].slice(0, addresses);
    await this.#db.query(
      "UPDATE entry SET data = data || $2::text::jsonb WHERE kind = 'alarm' AND data->>'entry_id' = $1",
      [
        `alarm_${name}`,
        JSON.stringify({ enabled, recipients, renotification_window_hours: hours }),
      ],
    );
  }

  async #events(): Promise<readonly EventRow[]> {
    const rows = await this.#db.query(
      `SELECT id, data->>'entry_id' AS alarm, data->>'dedupe_key' AS key, data->>'clear_time' IS NULL AS active,
              data->'swf'->'notified' AS notified FROM entry WHERE kind = 'event' ORDER BY id`,
    );
    return rows.map(({ id, alarm, key, active, notified }) => ({
      id: String(id),
      alarm: String(alarm).replace("event_", ""),
      key: String(key),
      isActive: active === true,
      notified: Object.fromEntries(
        Object.entries(Object(notified)).map(([name, at]) => [name, Number(at)]),
      ),
    }));
  }

  async #rows(): Promise<unknown> {
    return await this.#db.query("SELECT * FROM entry ORDER BY id");
  }

  #config(): Config {
    return {
      engine: {
        baseUrl: "http://127.0.0.1:9",
        requestTimeout: 5,
        maxConnections: 4,
        tickTimeout: 240,
        limits: { timeout: 60, memory: 512, detections: 1000 },
        logPath: undefined,
        alarmFolders: [{ path: this.#folder }],
        quarantineAfter: 3,
        clearGuardShare: GUARDED.share,
        unreachableAfter: 1800,
      },
      sources: {},
      db: { kind: "embedded", path: "unused" },
      channels: noChannels(),
      operators: [],
      // So short that rows go in the courses with a step of a day.
      retention: { engineRunsDays: 1, clearedEventsDays: 1, notificationsDays: 3 },
    };
  }
}

/** In the place of the processes: outcomes as the step says. */
function scriptedWorkers(step: Step): Workers {
  return {
    load: async ({ name, path }) => ({
      ok: true,
      module: { name, path, title: undefined, description: undefined, sources: [], params: {} },
    }),
    detect: async ({ file }) => {
      const { status, detected } = file.name === "few" ? step.few : step.many;
      return {
        status,
        cause: status === "failed" ? "source" : undefined,
        reasons: status === "complete" ? [] : [`it is ${status}`],
        keys: new Set(detected),
        detections: new Map(
          detected.map((dedupeKey) => {
            const recipients = OWN.keys.includes(dedupeKey) ? [OWN.recipient] : [];
            const subject = `${dedupeKey} is wrong`;
            return [dedupeKey, { dedupeKey, subject, body: "", data: {}, recipients }];
          }),
        ),
        seconds: 0,
      };
    },
    close: async () => {},
  };
}

function isName(name: string): name is Name {
  return name === "few" || name === "many";
}
