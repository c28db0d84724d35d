import { expect } from "vitest";
import {
  type AlarmStep,
  confirmed,
  dueOf,
  type Firing,
  NOTHING,
  type Notified,
  type Over,
  type Settings,
  tickOf,
} from "./event_rules.ts";
import { type ChannelName, isChannel } from "./receivers.ts";
import { type EventRow, listOf, type NotificationRow } from "./world_rows.ts";

/** An acknowledgement that a person makes, or takes back, before a tick. */
export interface Deed {
  /** Which of those that fire. */
  readonly index: number;
  readonly what: "acknowledges" | "takes it back";
  readonly sticky: boolean;
  /** Seconds; undefined: until it clears. */
  readonly lasts: number | undefined;
}

export interface TickFacts {
  readonly step: AlarmStep;
  readonly now: number;
}

/** What is known of one alarm's events over a course, and what must become of them. */
export class Books {
  readonly settings: Settings;
  #state = NOTHING;
  #next = NOTHING;
  /** By id, what has ended. */
  #over = new Map<string, Over>();
  /** By key, the ids of what fires. */
  #ids = new Map<string, string>();
  /** How many news of each event a notification tells, by its id. */
  #told = new Map<string, ReadonlyMap<string, number>>();

  constructor(settings: Settings) {
    this.settings = settings;
  }

  /** The event that a person finds at this place, and what its row says then. */
  act({ index, what, sticky, lasts }: Deed, at: number) {
    const keys = [...this.#state.firing.keys()];
    const key = keys[index % keys.length] ?? "";
    const event = this.#state.firing.get(key);
    if (event === undefined || (what === "takes it back" && event.ack === undefined))
      return undefined;
    const until = lasts === undefined ? undefined : at + lasts;
    const after: Firing =
      what === "acknowledges"
        ? { ...event, ack: { until: until ?? Number.POSITIVE_INFINITY, sticky } }
        : { ...event, ack: undefined, anew: at, reminders: new Map() };
    const firing = new Map([...this.#state.firing, [key, after]]);
    this.#state = { ...this.#state, firing };
    return { id: this.#ids.get(key) ?? "", until };
  }

  /** Works out what the tick must come to, before it runs. */
  expect({ step, now }: TickFacts): void {
    this.#next = tickOf(this.#state, step, this.settings, now);
  }

  /** Why a notification of this tick may name an event as firing, and how many news it tells. */
  due(key: string, channel: ChannelName, { step, now }: TickFacts) {
    const event = this.#next.firing.get(key);
    if (event === undefined) return { why: undefined, news: 0 };
    const isSeen = step.detected.includes(key);
    const facts = { step, settings: this.settings, isSeen, now };
    return { why: dueOf(event, channel, facts), news: event.news };
  }

  /** How many news of the event a notification of an earlier tick tells. */
  told(notification: string, event: string): number {
    return this.#told.get(notification)?.get(event) ?? 0;
  }

  /** The tick is over: its events are written, or, if the engine was killed, nothing is. */
  close(isWritten: boolean, before: readonly EventRow[], after: readonly EventRow[], now: number) {
    if (isWritten) this.#state = this.#next;
    const active = after.filter(({ isActive }) => isActive);
    expect(active.map(({ key }) => key).sort(), "what fires").toEqual(
      [...this.#state.firing.keys()].sort(),
    );
    this.#ids = new Map(active.map(({ key, id }) => [key, id]));
    for (const row of active) {
      const { severity, stage, since, firstSeen } = this.#state.firing.get(row.key) ?? {};
      const first = firstSeen === since ? undefined : firstSeen;
      expect([row.key, row.severity, row.stage, row.fireTime, row.firstSeen]).toEqual([
        row.key,
        severity,
        stage,
        since,
        first,
      ]);
    }
    if (!isWritten) return;
    const byId = new Map(after.map((row) => [row.id, row]));
    for (const { id, key } of before.filter(({ isActive }) => isActive)) {
      const row = byId.get(id);
      const ended = this.#state.ended.get(key);
      if (ended === undefined) continue;
      this.#over.set(id, ended);
      // Old rows are removed.
      if (row)
        expect([row.isActive, row.reason, row.clearTime]).toEqual([false, ended.reason, now]);
    }
  }

  /** The channels that have to hear of the ends of events, with their ids. */
  owed(): readonly string[] {
    return [...this.#over].flatMap(([id, { owed }]) => [...owed].map((name) => `${name} ${id}`));
  }

  /** Holds what the tick has composed against what was due. */
  checkComposed(rows: readonly NotificationRow[], channel: ChannelName, facts: CheckFacts): void {
    const idsOf = new Map([...this.#ids].map(([key, id]) => [id, key]));
    const firing = rows.flatMap((row) => listOf(row.data, ...FIRING));
    const cleared = rows.flatMap((row) => listOf(row.data, "cleared_event_ids"));
    const due = [...this.#ids].flatMap(([key, id]) =>
      this.due(key, channel, facts).why === undefined ? [] : [id],
    );
    const owed = [...this.#over].flatMap(([id, over]) => (over.owed.has(channel) ? [id] : []));
    const named = (ids: readonly string[]) => ids.map((id) => idsOf.get(id) ?? id).sort();
    if (facts.isExact) {
      expect(named(firing), `what fires, on ${channel}`).toEqual(named(due));
      expect(named(cleared), `what has ended, on ${channel}`).toEqual(named(owed));
    } else {
      expect(named(due), `due on ${channel}`).toEqual(expect.arrayContaining(named(firing)));
      expect(named(owed), `ended on ${channel}`).toEqual(expect.arrayContaining(named(cleared)));
    }
    for (const row of rows) {
      for (const id of channel === "email" ? listOf(row.data, "cleared_event_ids") : []) {
        const to = this.#over.get(id)?.to.get(channel);
        if (to !== undefined)
          expect(listOf(row.data, "recipients"), "an end goes to those who heard of it").toEqual(
            to,
          );
      }
      const news = listOf(row.data, ...FIRING).map((id): [string, number] => {
        return [id, this.#state.firing.get(idsOf.get(id) ?? "")?.news ?? 0];
      });
      this.#told.set(row.id, new Map(news));
    }
  }

  /** A notification was confirmed, or will not be sent any more. */
  stamp(row: NotificationRow): void {
    const channel = String(row.data.channel);
    if (!isChannel(channel)) return;
    const keys = new Map([...this.#ids].map(([key, id]) => [id, key]));
    const cleared = listOf(row.data, "cleared_event_ids");
    if (row.data.state === "given_up") {
      // Those who are its recipients now still have to hear of it.
      if (String(row.data.error).includes("no longer recipients")) return;
      for (const id of cleared) this.#settle(id, channel);
      return;
    }
    const [composedAt, recipients] = [Number(row.data.composed_at), listOf(row.data, "recipients")];
    for (const id of listOf(row.data, ...FIRING)) {
      const facts: Notified = { channel, composedAt, recipients, news: this.told(row.id, id) };
      const key = keys.get(id) ?? "";
      const [event, over] = [this.#state.firing.get(key), this.#over.get(id)];
      if (event !== undefined) {
        const firing = new Map([...this.#state.firing, [key, confirmed(event, facts)]]);
        this.#state = { ...this.#state, firing };
      }
      if (over !== undefined) this.#over.set(id, confirmed(over, facts));
    }
    for (const id of cleared) this.#settle(id, channel);
  }

  #settle(id: string, channel: ChannelName): void {
    const over = this.#over.get(id);
    if (over === undefined) return;
    this.#over.set(id, {
      ...over,
      owed: new Set([...over.owed].filter((each) => each !== channel)),
    });
  }
}

export interface CheckFacts extends TickFacts {
  /** Whether all that is due must be named; else nothing but that may be. */
  readonly isExact: boolean;
}

const FIRING = ["new_event_ids", "continuing_event_ids"];
