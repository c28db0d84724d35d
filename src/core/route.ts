import type { AlarmRow, Team } from "./model.ts";
import type { DueItem } from "./notice.ts";
import { resolveRecipients } from "./recipients.ts";

/** What goes to one set of recipients. */
export interface Route {
  /** As written: addresses and `@team` names, or the target of the channel. */
  readonly to: readonly string[];
  /** Those of `to` that do not come from the alarm. */
  readonly own: readonly string[];
  /** Addresses, or the target of the channel. */
  readonly recipients: readonly string[];
  /** In the order given. */
  readonly items: readonly DueItem[];
}

export interface RouteFacts {
  readonly alarm: Pick<AlarmRow, "recipients">;
  readonly teams: ReadonlyMap<string, Team>;
  readonly channel: string;
  /** Of a channel that delivers to no addresses. */
  readonly target: string | undefined;
}

/**
 * Splits what an alarm has to say by sets of recipients: those of the alarm, and the event's own ones. The end of an
 * event goes to those who were notified of it. Each item is in one route, which may have no recipients. `faults` are wrong
 * recipients of events.
 */
export function routeItems(
  items: readonly DueItem[],
  { alarm, teams, channel, target }: RouteFacts,
): { readonly routes: readonly Route[]; readonly faults: readonly string[] } {
  if (target !== undefined) {
    const routes =
      items.length === 0 ? [] : [{ to: [target], own: [], recipients: [target], items }];
    return { routes, faults: [] };
  }
  const resolved = new Map<string, ReturnType<typeof resolveRecipients>>();
  const routes = new Map<string, Route & { readonly items: DueItem[] }>();
  for (const item of items) {
    const own = ownRecipients(item, channel);
    const to = own.only ? own.tokens : [...new Set([...alarm.recipients, ...own.tokens])];
    const name = JSON.stringify(to);
    const found = resolved.get(name) ?? resolveRecipients(to, teams);
    resolved.set(name, found);
    const key = JSON.stringify(found.addresses.map((address) => address.toLowerCase()).sort());
    const route = routes.get(key) ?? {
      to,
      own: own.tokens,
      recipients: found.addresses,
      items: [],
    };
    route.items.push(item);
    routes.set(key, route);
  }
  // The alarm's own ones are faults of its row.
  const ofAlarm = new Set(resolveRecipients(alarm.recipients, teams).faults);
  const faults = [...resolved.values()].flatMap((found) => found.faults);
  return {
    routes: [...routes.values()],
    faults: [...new Set(faults)].filter((fault) => !ofAlarm.has(fault)),
  };
}

/** The recipients of an item that do not come from the alarm; `only` these get it, or those of the alarm too. */
function ownRecipients({ reason, notices }: DueItem, channel: string) {
  const notified = Object.hasOwn(notices.to, channel) ? notices.to[channel] : undefined;
  return reason === "cleared" && notified !== undefined && notified.length > 0
    ? { tokens: notified, only: true }
    : { tokens: notices.recipients, only: false };
}
