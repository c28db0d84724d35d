import type { Bundle } from "./bundle.ts";
import type { Refused } from "./delivery.ts";
import type { DueItem, WaitReason } from "./notice.ts";
import { mailbox } from "./recipients.ts";
import type { UnknownAttempts } from "./repeats.ts";
import type { Route } from "./route.ts";

/**
 * How far a notification has come; the first four are open, and `partial` too while recipients are pending. `unknown`:
 * the engine died while it sent it, or the response was lost.
 */
export const NOTIFICATION_STATES = [
  "queued",
  "sending",
  "failed",
  "unknown",
  "delivered",
  "partial",
  "superseded",
  "given_up",
] as const;
export type NotificationState = (typeof NOTIFICATION_STATES)[number];

/** A notification that is not delivered to all of its recipients yet. */
export interface OpenNotification {
  /** UUID of its row. */
  readonly id: string;
  readonly channel: string;
  readonly state: NotificationState;
  /** As written. */
  readonly to: readonly string[];
  /** Those of `to` that do not come from the alarm. */
  readonly own: readonly string[];
  readonly recipients: readonly string[];
  readonly newEventIds: readonly string[];
  readonly continuingEventIds: readonly string[];
  readonly clearedEventIds: readonly string[];
  /** Epoch seconds of the tick that composed it. */
  readonly composedAt: number;
  /** Epoch seconds; 24 hours later it is given up. */
  readonly since: number;
  /** Epoch seconds of the next attempt. */
  readonly notBefore: number;
  readonly attempts: number;
  /** Recipients that it has yet to reach, when it has reached others. */
  readonly pending: readonly string[];
  readonly refused: readonly Refused[];
  readonly messageIds: readonly string[];
  readonly unknown: UnknownAttempts | undefined;
  readonly error: string;
  /** Its subject and text, as recorded. */
  readonly subject: string;
  readonly text: string;
  /** Undefined in rows of earlier versions. */
  readonly bundle: Bundle | undefined;
}

const DAY = 86_400;
/** Seconds. A service or a wrong clock must not delay the next attempt for longer. */
export const MAX_DELAY = 6 * 3600;

export type OpenPlan =
  | {
      readonly kind: "attempt";
      readonly to: readonly string[];
      readonly reason: "not delivered" | "still pending";
    }
  | { readonly kind: "wait"; readonly reason: "mail is off" | "not before its time" }
  /** Its 24 hours begin anew. */
  | { readonly kind: "wait" | "extend"; readonly reason: "the channel cannot be used" }
  | {
      readonly kind: "give up";
      readonly reason: "waited for 24 hours" | "no longer recipients of the alarm";
    }
  | { readonly kind: "supersede"; readonly reason: "a new one names all of its events" }
  | { readonly kind: "drop"; readonly reason: "its events are over or held back" };

export interface OpenFacts {
  /** The addresses of the alarm now, and of these own recipients; the target of a channel without addresses. */
  readonly addressesOf: (own: readonly string[]) => readonly string[];
  /** Whether the alarm notifies. */
  readonly enabled: boolean;
  readonly channel: "usable" | "not configured" | "unusable";
  /** Epoch seconds. */
  readonly now: number;
  /** The last certain time: a clock in doubt must not make a notification look old. */
  readonly certainAt: number;
}

export interface DispatchFacts extends OpenFacts {
  readonly open: readonly OpenNotification[];
  readonly routes: readonly Route[];
  /** Ids of the events that are active after this tick and not held back. */
  readonly active: { readonly has: (id: string) => boolean };
}

/** What a channel is asked to deliver for one alarm in a tick. */
export interface Dispatch {
  readonly open: readonly (readonly [OpenNotification, OpenPlan])[];
  /** To compose. */
  readonly bundles: readonly Route[];
  /** The ids of the events in open notifications that wait for their next attempt, with the reason. */
  readonly waiting: ReadonlyMap<string, WaitReason>;
}

/**
 * Open notifications go first. What one of them says already is no reason for a new one. If there is another reason, the
 * new one repeats what surely was not delivered, and replaces the open ones all of whose events it names. An event in
 * one that waits for its next attempt waits with it.
 */
export function planDispatch(facts: DispatchFacts): Dispatch {
  const dueIds = new Set(facts.routes.flatMap(({ items }) => items.map(({ eventId }) => eventId)));
  const isOver = (row: OpenNotification): boolean =>
    row.pending.length === 0 &&
    eventIdsOf(row).every((id) => !facts.active.has(id) && !dueIds.has(id));
  const over = { kind: "drop", reason: "its events are over or held back" } as const;
  const plans = facts.open.map((row) => [row, isOver(row) ? over : planOpen(row, facts)] as const);
  const whole = plans.filter(([row]) => row.pending.length === 0);
  const waiting = new Map<string, WaitReason>();
  for (const [row, plan] of whole) {
    const reason = isSure(row) ? "the service asked to wait" : "may have been mailed";
    if (plan.kind === "wait" && plan.reason === "not before its time")
      for (const id of eventIdsOf(row)) waiting.set(id, reason);
  }
  if (!facts.enabled || facts.channel !== "usable") return { open: plans, bundles: [], waiting };
  const due = whole.flatMap(([row, { kind }]) => (kind === "attempt" ? [row] : []));
  // The end of an event is given up with its notification; one that is active is named anew.
  const isOld = ([, plan]: (typeof plans)[number]) => plan.reason === "waited for 24 hours";
  const givenUp = new Set(whole.filter(isOld).flatMap(([row]) => row.clearedEventIds));
  const bundles = facts.routes.flatMap((route): readonly Route[] => {
    const saying = due.filter((row) => sameRecipients(row, route));
    const items = route.items.filter(
      ({ eventId, clearTime }) =>
        !waiting.has(eventId) && (clearTime === undefined || !givenUp.has(eventId)),
    );
    const ids = new Set(items.map(({ eventId }) => eventId));
    const sure = saying.filter((row) => isSure(row) && eventIdsOf(row).every((id) => ids.has(id)));
    const notDelivered = new Set(sure.flatMap(saidBy));
    // Several that were not delivered become one.
    const kept = sure.length < 2 ? saying : saying.filter((row) => !sure.includes(row));
    const said = new Set(kept.flatMap(saidBy));
    const isNews = (item: DueItem): boolean => !said.has(sayingOf(item));
    if (route.recipients.length === 0 || !items.some(isNews)) return [];
    const named = items.filter((item) => isNews(item) || notDelivered.has(sayingOf(item)));
    return [{ ...route, items: named }];
  });
  const named = new Set(bundles.flatMap(({ items }) => items.map(({ eventId }) => eventId)));
  const isReplaced = (row: OpenNotification): boolean =>
    due.includes(row) && eventIdsOf(row).every((id) => named.has(id));
  const replaced = { kind: "supersede", reason: "a new one names all of its events" } as const;
  return {
    open: plans.map(([row, plan]) => [row, isReplaced(row) ? replaced : plan]),
    bundles,
    waiting,
  };
}

/** Whether it surely was not delivered. */
function isSure({ state, unknown }: OpenNotification): boolean {
  return (state === "failed" || state === "queued") && unknown === undefined;
}

/** What a notification says of its events: that they fire, or that they have cleared. */
function saidBy(row: OpenNotification): readonly string[] {
  const firing = [...row.newEventIds, ...row.continuingEventIds];
  return [
    ...firing.map((id) => `firing ${id}`),
    ...row.clearedEventIds.map((id) => `cleared ${id}`),
  ];
}

function sayingOf({ eventId, clearTime }: DueItem): string {
  return `${clearTime === undefined ? "firing" : "cleared"} ${eventId}`;
}

/** What the next tick does with an open notification, unless a new one replaces it. */
export function planOpen(row: OpenNotification, facts: OpenFacts): OpenPlan {
  const { addressesOf, enabled, channel, now, certainAt } = facts;
  const age = Math.min(now, certainAt) - row.since;
  // Meanwhile the 24 hours do not run.
  if (channel !== "usable")
    return { kind: age < DAY / 2 ? "wait" : "extend", reason: "the channel cannot be used" };
  if (age >= DAY) return { kind: "give up", reason: "waited for 24 hours" };
  if (!enabled) return { kind: "wait", reason: "mail is off" };
  if (row.notBefore > now && row.notBefore <= now + MAX_DELAY)
    return { kind: "wait", reason: "not before its time" };
  const left = row.pending.length > 0 ? row.pending : row.recipients;
  const allowed = new Set(addressesOf(row.own).map(bare));
  const to = left.filter((address) => allowed.has(bare(address)));
  if (to.length === 0) return { kind: "give up", reason: "no longer recipients of the alarm" };
  const reason = row.pending.length > 0 ? "still pending" : "not delivered";
  return { kind: "attempt", to, reason };
}

function bare(address: string): string {
  return (mailbox(address) ?? address).toLowerCase();
}

function sameRecipients(row: OpenNotification, route: Route): boolean {
  const known = new Set(route.recipients.map(bare));
  return (
    row.recipients.length === known.size && row.recipients.every((each) => known.has(bare(each)))
  );
}

export function eventIdsOf(row: OpenNotification): readonly string[] {
  return [...row.newEventIds, ...row.continuingEventIds, ...row.clearedEventIds];
}
