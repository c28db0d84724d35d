import { expect } from "vitest";
import type { Channel, Outgoing } from "../../src/channel/channel.ts";
import type { ConfiguredChannel } from "../../src/channel/registry.ts";
import { type Delivery, type DeliveryError, undelivered } from "../../src/core/delivery.ts";
import { MAY_BE_DUPLICATE } from "../../src/core/repeats.ts";
import type { Queryable } from "../../src/store/database.ts";
import { configured } from "../support/configured.ts";
import { delivered } from "../support/mails.ts";
import type { MortalDatabase } from "./mortal_database.ts";
import { listOf } from "./world_rows.ts";

/** What a service does with what it gets in one tick; killed is the engine, before or after the service took it. */
export type Fate =
  | "accepted"
  | "refused"
  | "partly"
  | "throttled"
  | "lost before"
  | "lost after"
  | "killed before"
  | "killed after";

export const CHANNELS = ["email", "chat", "hook"] as const;
export type ChannelName = (typeof CHANNELS)[number];

export function isChannel(name: string): name is ChannelName {
  return CHANNELS.some((each) => each === name);
}

/** What the receivers know of the tick. */
export interface Expected {
  readonly db: MortalDatabase;
  readonly now: number;
  readonly fates: { readonly [name in ChannelName]: Fate };
  /** Fails the test if nothing may be sent for the alarm to these recipients. */
  readonly mayNotify: (alarm: string, recipients: readonly string[]) => void;
  /** Why the tick names the event as firing on the channel; fails the test if nothing is due there. */
  readonly due: (channel: ChannelName, alarm: string, event: string) => Promise<Due>;
  /** How many news of the event a notification of an earlier tick tells. */
  readonly told: (alarm: string, notification: string, event: string) => number;
}

export interface Due {
  readonly why: "news" | "reminder";
  /** How many news of the event there have been. */
  readonly news: number;
}

const DOWN: DeliveryError = {
  message: "down",
  retryable: true,
  scope: "channel",
  mayBeDelivered: false,
};
const ERRORS: { readonly [fate in Fate]?: DeliveryError } = {
  refused: DOWN,
  partly: DOWN,
  // Longer than a tick waits.
  throttled: { ...DOWN, message: "busy", retryAfter: 900 },
  "lost before": { ...DOWN, message: "no response", mayBeDelivered: true },
  "lost after": { ...DOWN, message: "no response", mayBeDelivered: true },
};

/** The services behind three channels, and what they got over a whole course. */
export class Receivers {
  readonly #db: Queryable;
  /** `channel recipient event` and what was said of it of what was taken, and whether the engine surely knows that. */
  #taken = new Map<string, "known" | "unknown">();
  /** The same by notification in place of event and kind. */
  #rows = new Map<string, "known" | "unknown">();
  /** The keys of both that were taken in this tick, and those of whole notifications. */
  #now = new Set<string>();
  #named = new Set<string>();
  /** Ids of the notification rows that earlier ticks made. */
  #earlier = new Set<string>();
  #failure: unknown;
  /** Events of which a channel need not hear any more. */
  #excused = new Set<string>();
  /** By channel: notifications whose response was lost. */
  readonly lost = new Map<string, number>();
  /**
   * By channel: by event, notifications that repeat it. One that names several can be repeated in several: what is held
   * back in between is named later.
   */
  readonly repeats = new Map<string, ReadonlyMap<string, number>>();
  /** Ids of the notifications that repeated. */
  #repeated = new Set<string>();

  constructor(db: Queryable) {
    this.#db = db;
  }

  /** Whether the channel has heard that the event has ended, or need not any more. */
  knowsEnd(channel: ChannelName, event: string): boolean {
    const isOf = (key: string) =>
      key.startsWith(`${channel} `) && key.endsWith(` ${event} ${CLEARED}`);
    return this.#excused.has(`${channel} ${event}`) || [...this.#taken.keys()].some(isOf);
  }

  async begin(): Promise<void> {
    this.#now = new Set();
    this.#named = new Set();
    const rows = await this.#db.query("SELECT id FROM entry WHERE kind = 'notification'");
    this.#earlier = new Set(rows.map(({ id }) => String(id)));
  }

  /** Looks at what the tick left; `isDead` if the engine was killed in it. */
  async end({ now }: Expected, isDead: boolean): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    if (isDead)
      for (const key of this.#now)
        for (const map of [this.#taken, this.#rows]) if (map.has(key)) map.set(key, "unknown");
    const rows = await this.#db.query("SELECT id, data FROM entry WHERE kind = 'notification'");
    const made = rows.filter(({ id }) => !this.#earlier.has(String(id)));
    const sets = made.map(({ data }) => {
      expect(Reflect.get(Object(data), "composed_at")).toBe(now);
      const [alarm, channel, to] = ["alarm", "channel", "recipients"].map((key) =>
        JSON.stringify(Reflect.get(Object(data), key)),
      );
      return `${alarm} ${channel} ${to}`;
    });
    expect(sets, "one bundle per alarm, channel and set of recipients").toEqual([...new Set(sets)]);
    for (const { data } of rows)
      if (Reflect.get(Object(data), "state") === "given_up")
        for (const id of listOf(data, "cleared_event_ids"))
          this.#excused.add(`${Reflect.get(Object(data), "channel")} ${id}`);
  }

  channels(expected: Expected): ReadonlyMap<string, ConfiguredChannel> {
    const targets = { email: {}, chat: { target: "#alarms" }, hook: { target: "hook" } };
    return new Map(
      CHANNELS.map((name) => {
        const more = { ...targets[name], isDefault: true };
        return [name, configured(name, this.#channel(name, expected), more)];
      }),
    );
  }

  #channel(name: ChannelName, expected: Expected): Channel {
    return {
      deliver: async (outgoing) => {
        try {
          return await this.#deliver(name, outgoing, expected);
        } catch (error) {
          // The engine catches it.
          if (!expected.db.isDead) this.#failure ??= error;
          throw error;
        }
      },
    };
  }

  async #deliver(name: ChannelName, outgoing: Outgoing, expected: Expected): Promise<Delivery> {
    const { db, fates } = expected;
    const { recipients } = outgoing;
    const fate = fates[name];
    expected.mayNotify(outgoing.alarm, recipients);
    if (db.isDead || fate === "killed before") return db.die();
    const error = ERRORS[fate] ?? DOWN;
    if (["refused", "throttled", "lost before"].includes(fate))
      return undelivered(recipients, error);
    const confirmed = fate === "partly" ? recipients.slice(0, 1) : recipients;
    const isKnown = fate !== "lost after" && fate !== "killed after";
    await this.#take(name, { ...outgoing, recipients: confirmed }, isKnown, expected);
    if (fate === "killed after") return db.die();
    if (fate === "lost after") return undelivered(recipients, error);
    const pending = recipients.slice(confirmed.length);
    const result = delivered(confirmed, ["m-1"]);
    return pending.length === 0 ? result : { ...result, pending, error };
  }

  /** The service has taken it: whatever it repeats must have been due, or not known to the engine, and marked. */
  async #take(
    channel: ChannelName,
    { id, alarm, recipients, text }: Outgoing,
    isKnown: boolean,
    expected: Expected,
  ): Promise<void> {
    const [row] = await this.#db.query("SELECT data FROM entry WHERE id = $1", [id]);
    expect(row, "recorded before it is sent").toBeDefined();
    const isRetry = this.#earlier.has(id);
    const isPending = listOf(row?.data, "pending").length > 0;
    const isMarked = text.includes(MAY_BE_DUPLICATE);
    const state = isKnown ? "known" : "unknown";
    const repeated = new Set<string>();
    const repeats = (
      before: "known" | "unknown" | undefined,
      what: string,
      events: readonly string[],
    ): void => {
      if (before === undefined) return;
      expect([before, isMarked], `${what} again only if it is not known, and marked`).toEqual([
        "unknown",
        true,
      ]);
      for (const event of events) repeated.add(event);
    };
    const said: { event: string; kind: string; isReminder: boolean }[] = [];
    for (const event of listOf(row?.data, ...FIRING)) {
      const { news, why } = isRetry
        ? { news: expected.told(alarm, id, event), why: "news" }
        : await expected.due(channel, alarm, event);
      said.push({ event, kind: `news ${news}`, isReminder: why === "reminder" });
    }
    for (const event of listOf(row?.data, "cleared_event_ids"))
      said.push({ event, kind: CLEARED, isReminder: false });
    for (const recipient of recipients) {
      const rowKey = `${channel} ${recipient} ${id}`;
      const events = said.map(({ event }) => event);
      if (isRetry) repeats(this.#rows.get(rowKey), "a notification", events);
      for (const { event, kind, isReminder } of said) {
        const key = `${channel} ${recipient} ${event} ${kind}`;
        // Those who did not get the first notification get it beside a reminder that is due, and who was a
        // recipient of one that failed gets it beside one to the recipients of now.
        const named = `${key} ${recipients.join(" ")}`;
        if (!isPending) {
          expect(this.#named.has(named), "an event in one notification to them").toBe(false);
          this.#named.add(named);
        }
        if (!isRetry && !isReminder && !this.#now.has(key))
          repeats(this.#taken.get(key), "an event", [event]);
        this.#taken.set(key, state);
        this.#now.add(key);
      }
      this.#rows.set(rowKey, state);
      this.#now.add(rowKey);
    }
    // What is left of a repeat is no other one.
    if (!(isPending && this.#repeated.has(id))) {
      const counts = new Map(this.repeats.get(channel));
      for (const event of repeated) counts.set(event, (counts.get(event) ?? 0) + 1);
      this.repeats.set(channel, counts);
    }
    if (repeated.size > 0) this.#repeated.add(id);
    if (expected.fates[channel] === "lost after")
      this.lost.set(channel, (this.lost.get(channel) ?? 0) + 1);
  }
}

const CLEARED = "cleared";
const FIRING = ["new_event_ids", "continuing_event_ids"];
