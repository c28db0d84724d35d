import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import type { Channel, Outgoing } from "../../src/channel/channel.ts";
import type { Config } from "../../src/config/config.ts";
import { type DeliveryError, undelivered } from "../../src/core/delivery.ts";
import type { Mode, Outcome } from "../../src/core/model.ts";
import { startDeadline } from "../../src/engine/deadline.ts";
import { type Engine, tick } from "../../src/engine/tick.ts";
import { createAlarm } from "../../src/store/alarms.ts";
import type { Database, Row } from "../../src/store/database.ts";
import type { Workers } from "../../src/worker/worker_pool.ts";
import { configured, noChannels } from "../support/configured.ts";
import { MortalDatabase } from "./mortal_database.ts";

/** What one alarm does and meets in one tick. */
export interface AlarmStep {
  readonly status: Outcome["status"];
  readonly detected: readonly string[];
  readonly enabled: boolean;
  /** Renotification window. */
  readonly hours: number;
  readonly addresses: number;
  /** What the mail service does with its mail; killed is the engine, before or after the service took it. */
  readonly mail: "accepted" | "refused" | "killed before" | "killed after";
}

export interface Step {
  readonly few: AlarmStep;
  readonly many: AlarmStep;
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
  readonly lastNotified: number | undefined;
}

const DOWN: DeliveryError = {
  message: "down",
  retryable: true,
  scope: "channel",
  mayBeDelivered: false,
};

/** The guard holds a clear of so many events, if they are more than this share. */
const GUARDED = { least: 10, share: 0.8 };

/** One engine's life: rows, a scripted world around them, and the rules that every tick must keep. */
export class World {
  readonly #db: Database;
  readonly #folder = mkdtempSync(join(tmpdir(), "swf-alarms-world-"));
  #now = 1_800_000_000;
  /** How often the engine was killed. */
  kills = 0;
  /** Mails that name an event which one before had named already. */
  repeats = 0;
  /** Ids that an accepted mail named. */
  #mailed = new Set<string>();
  /** Events that cleared while mail was on and that no mail had named. */
  #clearedUnmailed = new Set<string>();
  /** Keys that the last complete outcome missed, with many others, by alarm. */
  #missed = new Map<Name, ReadonlySet<string>>();
  /** Alarms whose last tick was killed. */
  #unsure = new Set<Name>();
  /** Ids of the notification rows looked at. */
  #known = new Set<string>();
  #bundles = new Map<string, number>();

  constructor(db: Database) {
    this.#db = db;
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
    this.repeats = 0;
    this.#mailed = new Set();
    this.#clearedUnmailed = new Set();
    this.#missed = new Map();
    this.#known = new Set();
    this.#unsure = new Set();
    for (const name of NAMES) {
      const wish = { name, title: undefined, description: undefined, params: {} };
      await this.#db.transaction((tx) => createAlarm(tx, wish, this.#now));
    }
  }

  /** Events of which somebody should have heard, and nobody has. */
  forgotten(): readonly string[] {
    return [...this.#clearedUnmailed].filter((id) => !this.#mailed.has(id));
  }

  async tick(step: Step): Promise<void> {
    this.#now += step.clock;
    this.#bundles = new Map();
    for (const name of NAMES) await this.#configure(name, step[name]);
    const before = await this.#events();
    // What a killed tick left open is no mail of this one.
    for (const { id } of await this.#openAttempts()) this.#known.add(String(id));
    const db = new MortalDatabase(this.#db, step.crash);
    try {
      await tick(this.#engine(step, db, before), {
        mode: step.mode,
        only: undefined,
        deadline: startDeadline(240),
      });
    } catch (error) {
      if (!db.isDead) throw error;
    }
    if (db.isDead) this.kills += 1;
    const after = await this.#events();
    if (step.mode === "plan") expect(after).toEqual(before);
    else for (const name of NAMES) this.#check(name, step, before, after, db.isDead);
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
      if (enabled && !this.#mailed.has(id)) this.#clearedUnmailed.add(id);
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

  #engine(step: Step, db: MortalDatabase, before: readonly EventRow[]): Engine {
    const nothing = (): void => {};
    return {
      config: this.#config(),
      db,
      workers: () => scriptedWorkers(step),
      clock: () => this.#now,
      log: { error: nothing, info: nothing, debug: nothing },
      channels: new Map([["email", configured("email", this.#channel(step, db, before))]]),
      openChannel: ({ open }) => open(nothing),
    };
  }

  #channel(step: Step, db: MortalDatabase, before: readonly EventRow[]): Channel {
    return {
      deliver: async (mail) => {
        const name = NAMES.find((candidate) => mail.alarm === `alarm_${candidate}`) ?? "few";
        const { mail: fate, enabled, addresses } = step[name];
        expect([step.mode, enabled, addresses], "mail only when it is on").toEqual([
          "tick",
          true,
          2,
        ]);
        if (db.isDead || fate === "killed before") return db.die();
        if (fate === "refused") return undelivered(mail.recipients, DOWN);
        await this.#accept(mail, name, step, before);
        if (fate === "killed after") db.die();
        return { ...undelivered([], DOWN), confirmed: mail.recipients, error: undefined };
      },
    };
  }

  /** The service has taken a mail: every event in it must have been due. */
  async #accept(
    mail: Outgoing,
    name: Name,
    step: Step,
    before: readonly EventRow[],
  ): Promise<void> {
    const bundles = (this.#bundles.get(mail.alarm) ?? 0) + 1;
    this.#bundles.set(mail.alarm, bundles);
    expect(bundles, "one bundle per alarm and tick").toBe(1);
    for (const { id, data } of await this.#openAttempts()) {
      const text = JSON.stringify(data);
      if (this.#known.has(String(id)) || !text.includes(`"${mail.alarm}"`)) continue;
      this.#known.add(String(id));
      const isRepeat = idsIn(data).map((id) => this.#mention(id, step[name].hours, before));
      if (isRepeat.includes(true)) this.repeats += 1;
    }
  }

  async #openAttempts(): Promise<readonly Row[]> {
    return await this.#db.query(
      "SELECT id, data FROM entry WHERE kind = 'notification' AND data->>'outcome' = 'unknown'",
    );
  }

  /** Whether an earlier mail had named it and nobody knew. */
  #mention(eventId: string, hours: number, before: readonly EventRow[]): boolean {
    const last = before.find(({ id }) => id === eventId)?.lastNotified;
    const isDue =
      last === undefined ||
      (hours > 0 && (this.#now >= last + hours * 3600 || last > this.#now + 300));
    expect(isDue, "named only when due").toBe(true);
    const isRepeat = last === undefined && this.#mailed.has(eventId);
    this.#mailed.add(eventId);
    return isRepeat;
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
              (data->>'last_notified')::float8 AS told FROM entry WHERE kind = 'event' ORDER BY id`,
    );
    return rows.map(({ id, alarm, key, active, told }) => ({
      id: String(id),
      alarm: String(alarm).replace("event_", ""),
      key: String(key),
      isActive: active === true,
      lastNotified: typeof told === "number" ? told : undefined,
    }));
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
      retention: { engineRunsDays: 1, clearedEventsDays: 1, notificationsDays: 1 },
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
            return [
              dedupeKey,
              { dedupeKey, subject: `${dedupeKey} is wrong`, body: "", data: {}, recipients: [] },
            ];
          }),
        ),
        seconds: 0,
      };
    },
    close: async () => {},
  };
}

/** Ids of all events that a notification names. */
function idsIn(data: unknown): readonly string[] {
  const lists = ["new_event_ids", "continuing_event_ids", "cleared_event_ids"].map((key) =>
    Reflect.get(Object(data), key),
  );
  return lists.flatMap((list: unknown) => (Array.isArray(list) ? list.map(String) : []));
}
