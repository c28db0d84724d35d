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
  const resolved: ReturnType<typeof resolveRecipients>[] = [];
  const routes = new Map<string, Route & { readonly items: DueItem[] }>();
  const routeTo = ({ tokens, only }: Own): Route & { readonly items: DueItem[] } => {
    const to = only ? tokens : [...new Set([...alarm.recipients, ...tokens])];
    const found = resolveRecipients(to, teams);
    resolved.push(found);
    const key = JSON.stringify(found.addresses.map((address) => address.toLowerCase()).sort());
    const route = { to, own: tokens, recipients: found.addresses, items: [] };
    routes.set(key, routes.get(key) ?? route);
    return routes.get(key) ?? route;
  };
  // Most items have the same recipients, and there may be many.
  const known = new Map<string, ReturnType<typeof routeTo>>();
  for (const item of items) {
    const own = ownRecipients(item, channel);
    const key = JSON.stringify(own);
    const route = known.get(key) ?? routeTo(own);
    known.set(key, route);
    route.items.push(item);
  }
  // The alarm's own ones are faults of its row.
  const ofAlarm = new Set(resolveRecipients(alarm.recipients, teams).faults);
  const faults = resolved.flatMap((found) => found.faults);
  return {
    routes: [...routes.values()],
    faults: [...new Set(faults)].filter((fault) => !ofAlarm.has(fault)),
  };
}

interface Own {
  readonly tokens: readonly string[];
  readonly only: boolean;
}

/** The recipients of an item that do not come from the alarm; `only` these get it, or those of the alarm too. */
function ownRecipients({ reason, notices }: DueItem, channel: string): Own {
  const notified = Object.hasOwn(notices.to, channel) ? notices.to[channel] : undefined;
  return reason === "cleared" && notified !== undefined && notified.length > 0
    ? { tokens: notified, only: true }
    : { tokens: notices.recipients, only: false };
}
