import type { Bundle } from "./bundle.ts";
import { type Delivery, judgeDelivery, type Refused } from "./delivery.ts";
import type { DueItem, WaitReason } from "./notice.ts";
import { mailbox } from "./recipients.ts";
import { repeatPause, type UnknownAttempts } from "./repeats.ts";
import type { Route } from "./route.ts";

/** How far a notification has come; the first four are open, and `partial` too while recipients are pending. */
export type NotificationState =
  | "queued"
  | "sending"
  | "failed"
  /** The engine died while it sent it, or the response was lost. */
  | "unknown"
  | "delivered"
  | "partial"
  | "superseded"
  | "given_up";

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
  | {
      readonly kind: "wait";
      readonly reason: "mail is off" | "not before its time" | "the channel cannot be used";
    }
  | {
      readonly kind: "give up";
      readonly reason:
        | "waited for 24 hours"
        | "no longer recipients of the alarm"
        | "the alarm no longer uses the channel";
    }
  | { readonly kind: "supersede"; readonly reason: "a new one names all of its events" };

export interface DispatchFacts {
  readonly open: readonly OpenNotification[];
  readonly routes: readonly Route[];
  /** The addresses of the alarm now, and of these own recipients; the target of a channel without addresses. */
  readonly addressesOf: (own: readonly string[]) => readonly string[];
  /** Whether the alarm notifies. */
  readonly enabled: boolean;
  readonly channel: "usable" | "not configured" | "unusable" | "not used";
  /** Epoch seconds. */
  readonly now: number;
  /** The last certain time: a clock in doubt must not make a notification look old. */
  readonly certainAt: number;
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
  const plans = facts.open.map((row) => [row, planOpen(row, facts)] as const);
  const whole = plans.filter(([row]) => row.pending.length === 0);
  const waiting = new Map<string, WaitReason>();
  for (const [row, plan] of whole) {
    const reason = isSure(row) ? "the service asked to wait" : "may have been mailed";
    if (plan.kind === "wait" && plan.reason === "not before its time")
      for (const id of eventIdsOf(row)) waiting.set(id, reason);
  }
  if (!facts.enabled || facts.channel !== "usable") return { open: plans, bundles: [], waiting };
  const due = whole.flatMap(([row, { kind }]) => (kind === "attempt" ? [row] : []));
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

function planOpen(row: OpenNotification, facts: DispatchFacts): OpenPlan {
  const { addressesOf, enabled, channel, now, certainAt } = facts;
  if (channel === "not used")
    return { kind: "give up", reason: "the alarm no longer uses the channel" };
  if (Math.min(now, certainAt) - row.since >= DAY)
    return { kind: "give up", reason: "waited for 24 hours" };
  if (!enabled) return { kind: "wait", reason: "mail is off" };
  if (channel !== "usable") return { kind: "wait", reason: "the channel cannot be used" };
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

/** What an attempt made of a notification. */
export interface Attempted {
  readonly state: NotificationState;
  readonly outcome: "delivered" | "partial" | "failed";
  readonly refused: readonly Refused[];
  /** Only of one that has reached others. */
  readonly pending: readonly string[];
  readonly messageIds: readonly string[];
  readonly unknown: UnknownAttempts | undefined;
  /** Epoch seconds of the next attempt; undefined once there is none. */
  readonly notBefore: number | undefined;
  readonly error: string | undefined;
  readonly retryable: boolean | undefined;
}

export type Earlier = Pick<OpenNotification, "refused" | "messageIds" | "unknown"> & {
  /** Whether it has reached some of its recipients. */
  readonly isPartial: boolean;
  /** Recipients that are no longer tried. */
  readonly givenUp: readonly string[];
};

/** The state of a notification after an attempt at `now`; `earlier` is what attempts before had reached. */
export function judgeAttempt(delivery: Delivery, earlier: Earlier, now: number): Attempted {
  const { confirmed, pending, error } = delivery;
  // Without `isPartial`, all of its recipients were attempted again.
  const refused = [...(earlier.isPartial ? earlier.refused : []), ...delivery.refused];
  const messageIds = [...earlier.messageIds, ...delivery.messageIds];
  const judged = judgeDelivery({ ...delivery, refused });
  const { error: text, retryable } = judged;
  const shared = { refused, messageIds, error: text, retryable };
  const reached = earlier.isPartial || confirmed.length > 0;
  if (pending.length === 0 && (reached || refused.length === 0)) {
    const missed = refused.length + earlier.givenUp.length;
    const outcome = missed === 0 ? "delivered" : "partial";
    return {
      ...shared,
      state: outcome,
      outcome,
      pending,
      unknown: undefined,
      notBefore: undefined,
    };
  }
  const isUnknown = error?.mayBeDelivered === true;
  const unknown = isUnknown
    ? { count: (earlier.unknown?.count ?? 0) + 1, last: now }
    : earlier.unknown;
  const delay = isUnknown
    ? repeatPause(unknown?.count ?? 1)
    : Math.min(error?.retryAfter ?? 0, MAX_DELAY);
  const notBefore = now + delay;
  if (reached)
    return { ...shared, state: "partial", outcome: "partial", pending, unknown, notBefore };
  const state = isUnknown ? "unknown" : error?.retryAfter === undefined ? "failed" : "queued";
  return { ...shared, state, outcome: "failed", pending: [], unknown, notBefore };
}
