import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import type { Config } from "../../src/config/config.ts";
import type { Mode } from "../../src/core/model.ts";
import { startDeadline } from "../../src/engine/deadline.ts";
import { type Engine, tick } from "../../src/engine/tick.ts";
import { createAlarm } from "../../src/store/alarms.ts";
import type { Database } from "../../src/store/database.ts";
import type { Workers } from "../../src/worker/worker_pool.ts";
import { mainService, noChannels } from "../support/configured.ts";
import { newOutcome } from "../support/new_outcome.ts";
import { Books, type Deed } from "./books.ts";
import { type AlarmStep, GUARDED, type Settings, STAGES } from "./event_rules.ts";
import { MortalDatabase } from "./mortal_database.ts";
import { CHANNELS, type Expected, isChannel, Receivers } from "./receivers.ts";
import {
  type EventRow,
  isOpen,
  type NotificationRow,
  readEvents,
  readNotifications,
} from "./world_rows.ts";

export interface Step {
  readonly few: AlarmStep;
  readonly many: AlarmStep;
  /** What a person does before it. */
  readonly person: (Deed & { readonly alarm: Name }) | undefined;
  readonly fates: Expected["fates"];
  readonly mode: Mode;
  /** Seconds since the tick before. */
  readonly clock: number;
  readonly crash: { readonly statements: number; readonly kept: boolean } | undefined;
}

export type Name = "few" | "many";
export type Course = { readonly [name in Name]: Settings };
const NAMES: readonly Name[] = ["few", "many"];

/** Detections of these keys have a recipient of their own. */
const OWN = { keys: ["b", "m1"], recipient: "own@example.org" };

/** One engine's life: rows, a scripted world around them, and the rules that every tick must keep. */
export class World {
  readonly #db: Database;
  readonly #folder = mkdtempSync(join(tmpdir(), "swf-alarms-world-"));
  #now = 1_800_000_000;
  /** How often the engine was killed. */
  kills = 0;
  receivers: Receivers;
  /** `channel id` of ends that had to be heard of. */
  #owed = new Set<string>();
  #books = new Map<Name, Books>();

  constructor(db: Database) {
    this.#db = db;
    this.receivers = new Receivers(db);
    for (const name of NAMES) writeFileSync(join(this.#folder, `${name}.js`), "");
  }

  async close(): Promise<void> {
    await this.#db.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Everything from the beginning, with these settings. */
  async reset(course: Course): Promise<void> {
    await this.#db.query("DELETE FROM entry_version");
    await this.#db.query("DELETE FROM entry");
    this.kills = 0;
    this.receivers = new Receivers(this.#db);
    this.#owed = new Set();
    for (const name of NAMES) {
      this.#books.set(name, new Books(course[name]));
      const wish = { name, title: undefined, description: undefined, params: {} };
      await this.#db.transaction((tx) => createAlarm(tx, wish, this.#now));
      const { settle: _, clearAfter: __, severity = null, growth, maxHours, count } = course[name];
      await this.#change(name, {
        severity,
        renotification_growth: growth,
        renotification_max_hours: maxHours ?? null,
        renotification_count: count ?? null,
      });
    }
  }

  /** Ends of events that should have been heard of and were not, with the channels. */
  forgotten(): readonly string[] {
    return [...this.#owed].filter((pair) => {
      const [channel = "", id = ""] = pair.split(" ");
      return isChannel(channel) && !this.receivers.knowsEnd(channel, id);
    });
  }

  /** Notifications that are not at their end. */
  async open(): Promise<readonly unknown[]> {
    return await this.#db.query(
      "SELECT data FROM entry WHERE kind = 'notification' AND (status <> 'done' OR data ?| '{not_before,pending}')",
    );
  }

  async tick(step: Step): Promise<void> {
    this.#now += step.clock;
    const now = this.#now;
    if (step.person) await this.#act(step.person);
    for (const name of NAMES) {
      await this.#configure(name, step[name]);
      this.#of(name).expect({ step: step[name], now });
    }
    const [before, states, rows] = [
      await readEvents(this.#db),
      await this.#states(),
      await this.#rows(step),
    ];
    const notifications = await readNotifications(this.#db);
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
    expect(await this.#rows(step), "a plan writes nothing").toEqual(rows);
    await this.receivers.end(expected, db.isDead);
    if (step.mode === "plan") return;
    const after = await readEvents(this.#db);
    const statesAfter = await this.#states();
    const made = await readNotifications(this.#db);
    for (const name of NAMES) {
      const mine = (events: readonly EventRow[]) => events.filter(({ alarm }) => alarm === name);
      const textOf = (events: readonly EventRow[], of: ReadonlyMap<string, string>) =>
        [of.get(name), ...mine(events).map(({ text }) => text)].join("\n");
      // What has changed nothing may not have been written either.
      const isWritten = !db.isDead || textOf(before, states) !== textOf(after, statesAfter);
      const books = this.#of(name);
      books.close(isWritten, mine(before), mine(after), now);
      for (const pair of books.owed()) this.#owed.add(pair);
      this.#checkNotifications(name, step, {
        before: notifications,
        after: made,
        isDead: db.isDead,
      });
    }
  }

  #checkNotifications(name: Name, step: Step, { before, after, isDead }: Notified): void {
    const books = this.#of(name);
    const known = new Map(before.map((row) => [row.id, row]));
    const mine = after.filter(({ data }) => data.alarm === `alarm_${name}`);
    for (const channel of CHANNELS) {
      const composed = mine.filter(({ id, data }) => !known.has(id) && data.channel === channel);
      const isBusy = before.some((row) => row.data.channel === channel && isOpen(row));
      const { enabled, addresses } = step[name];
      const isExact =
        step.mode === "tick" &&
        !isDead &&
        enabled &&
        step.fates[channel] === "accepted" &&
        !isBusy &&
        (channel !== "email" || addresses > 0);
      books.checkComposed(composed, channel, { step: step[name], now: this.#now, isExact });
    }
    const isOver = ({ data }: NotificationRow) =>
      ["delivered", "partial", "given_up"].includes(String(data.state));
    for (const row of mine.toSorted((a, b) => Number(known.has(b.id)) - Number(known.has(a.id)))) {
      const earlier = known.get(row.id);
      const isNews = row.data.state !== earlier?.data.state;
      // One that has reached some of its recipients is confirmed.
      if (isOver(row) && isNews && earlier?.data.state !== "partial") books.stamp(row);
    }
  }

  #expected(step: Step, db: MortalDatabase, before: readonly EventRow[]): Expected {
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
      due: async (channel, entryId, id) => {
        const name = entryId.replace("alarm_", "");
        if (!isName(name)) {
          // The built-in alarm sends no reminders.
          const last = before.find((each) => each.id === id)?.notified[channel];
          expect(last, `${name} says each thing once`).toBeUndefined();
          return { why: "news", news: 1 };
        }
        const [row] = await this.#db.query(
          "SELECT data->>'dedupe_key' AS key FROM entry WHERE id = $1",
          [id],
        );
        const key = String(row?.key);
        const { why, news } = this.#of(name).due(key, channel, {
          step: step[name],
          now: this.#now,
        });
        if (why === undefined) throw new Error(`${key} of ${name} is not due on ${channel}`);
        return { why, news };
      },
      told: (entryId, notification, event) => {
        const name = entryId.replace("alarm_", "");
        return isName(name) ? this.#of(name).told(notification, event) : 1;
      },
    };
  }

  /** As `event ack` and `event unack` write it. */
  async #act({ alarm, ...deed }: Deed & { readonly alarm: Name }): Promise<void> {
    const at = this.#now - 7;
    const done = this.#of(alarm).act(deed, at);
    if (done === undefined) return;
    const { id, until = null } = done;
    const { sticky } = deed;
    const change =
      deed.what === "acknowledges"
        ? { by: "ana", reason: "known", at, until, sticky, ended_at: null }
        : { ended_at: at, ended: "by operator" };
    await this.#db.query(
      `UPDATE entry SET data = jsonb_set(data, '{swf}', (data->'swf') ${deed.what === "acknowledges" ? "" : "- 'reminders'"}
         || jsonb_build_object('ack', coalesce(data->'swf'->'ack', '{}') || $2::text::jsonb)) WHERE id = $1`,
      [id, JSON.stringify(change)],
    );
  }

  #of(name: Name): Books {
    const books = this.#books.get(name);
    if (books === undefined) throw new Error("reset comes first");
    return books;
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

  async #configure(name: Name, step: AlarmStep): Promise<void> {
    const { settle, clearAfter } = this.#of(name).settings;
    await this.#change(name, {
      enabled: step.enabled,
      recipients: ["a@example.org", "b@example.org"].slice(0, step.addresses),
      renotification_window_hours: step.hours,
      notify_clear: step.notifyClear,
      settle: step.settles ? settle : null,
      clear_after: step.settles ? clearAfter : null,
    });
  }

  async #change(name: Name, data: object): Promise<void> {
    await this.#db.query(
      "UPDATE entry SET data = data || $2::text::jsonb WHERE kind = 'alarm' AND data->>'entry_id' = $1",
      [`alarm_${name}`, JSON.stringify(data)],
    );
  }

  /** What each alarm remembers of entities that have not settled. */
  async #states(): Promise<ReadonlyMap<string, string>> {
    const rows = await this.#db.query(
      "SELECT replace(name, 'state:pending:', '') AS alarm, data FROM entry WHERE name LIKE 'state:pending:%'",
    );
    return new Map(rows.map(({ alarm, data }) => [String(alarm), JSON.stringify(data)]));
  }

  /** All rows, if nothing may change. */
  async #rows({ mode }: Step): Promise<unknown> {
    return mode === "plan" ? await this.#db.query("SELECT * FROM entry ORDER BY id") : undefined;
  }

  #config(): Config {
    return {
      engine: {
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
      sources: mainService("http://127.0.0.1:9"),
      db: { kind: "embedded", path: "unused" },
      channels: noChannels(),
      operators: [],
      // So short that rows go in the courses with a step of a day.
      retention: { engineRunsDays: 1, clearedEventsDays: 1, notificationsDays: 3 },
    };
  }
}

interface Notified {
  readonly before: readonly NotificationRow[];
  readonly after: readonly NotificationRow[];
  readonly isDead: boolean;
}

/** In the place of the processes: outcomes as the step says. */
function scriptedWorkers(step: Step): Workers {
  return {
    load: async ({ name, path }) => {
      const head = { name, path, title: undefined, description: undefined };
      return {
        ok: true,
        module: { ...head, sources: [], params: {}, stages: STAGES, graph: undefined },
      };
    },
    detect: async ({ file, stages, decideDetails }) => {
      const { status, detected, levels, ended, unseen } =
        file.name === "few" ? step.few : step.many;
      const outcome = newOutcome({ needsDetails: decideDetails(), stages });
      for (const key of ended) outcome.addClear(key, `${key} is done`);
      for (const dedupeKey of detected) {
        const recipients = OWN.keys.includes(dedupeKey) ? [OWN.recipient] : [];
        const subject = `${dedupeKey} is wrong`;
        outcome.add(
          { dedupeKey, subject, body: "", data: {}, recipients, ...levels[dedupeKey] },
          0,
        );
      }
      for (const prefix of unseen) outcome.incomplete(`${prefix} does not answer`, prefix);
      if (status === "partial") outcome.incomplete("it is partial");
      if (status === "failed") outcome.requestFailed("it is failed");
      if (status === "failed") outcome.fail({ text: "it is failed" });
      return outcome.outcome(0);
    },
    close: async () => {},
  };
}

function isName(name: string): name is Name {
  return name === "few" || name === "many";
}
