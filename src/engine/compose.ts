import { randomUUID } from "node:crypto";
import { composeBundle, listedItems, sortItems } from "../core/bundle.ts";
import type { AlarmRow, Outcome } from "../core/model.ts";
import { newsAt } from "../core/news.ts";
import type { DueItem } from "../core/notice.ts";
import type { OpenNotification } from "../core/notification.ts";
import type { Route } from "../core/route.ts";
import { scopeErrors } from "../core/scopes.ts";
import { renderMessage } from "../message/render.ts";
import type { Database } from "../store/database.ts";
import { eventTexts } from "../store/event_list.ts";
import { maybeNotified } from "../store/unsent.ts";
import type { ChannelQueue } from "./channel_queue.ts";
import type { Composed } from "./deliver.ts";
import type { Recorded } from "./record.ts";
import type { Run } from "./run.ts";

export interface ComposeFacts {
  readonly db: Database;
  readonly run: Pick<Run, "id" | "now">;
  readonly queue: ChannelQueue;
  readonly channel: string;
  /** The open notifications that it replaces. */
  readonly supersedes: readonly OpenNotification[];
}

/** A new notification, with the texts that only the database has. */
export async function compose(
  alarm: AlarmRow,
  { outcome }: Recorded,
  route: Route,
  { db, run, queue, channel, supersedes }: ComposeFacts,
): Promise<Composed> {
  const { id: runId, now } = run;
  const { to, own, recipients, items } = route;
  const { bundle, message } = await composeMessage(alarm, outcome, route, { db, channel, now });
  const sorted = sortItems(items);
  const isAhead = (item: DueItem) => item.clearTime === undefined && newsAt(item) > now;
  const notification = {
    id: randomUUID(),
    alarm: alarm.entryId,
    runId,
    channel,
    type: queue.type,
    composedAt: now,
    to,
    own,
    recipients,
    newEventIds: eventIds(sorted.fresh),
    continuingEventIds: eventIds(sorted.continuing),
    clearedEventIds: eventIds(sorted.cleared),
    subject: message.subject,
    text: message.text,
    bundle,
    supersedes: supersedes.map(({ id }) => id),
    unknownBefore: Math.max(0, ...supersedes.map(({ unknown }) => unknown?.count ?? 0)),
  };
  return { notification, message, ahead: eventIds(items.filter(isAhead)) };
}

/** What the alarm says to one set of recipients at this time. Writes nothing. */
export async function composeMessage(
  alarm: AlarmRow,
  outcome: Outcome,
  { to, own, items }: Pick<Route, "to" | "own" | "items">,
  { db, channel, now }: Pick<ComposeFacts, "db" | "channel"> & { readonly now: number },
) {
  const sorted = sortItems(items);
  const listed = listedItems(items);
  const late = [...sorted.continuing, ...sorted.cleared];
  const bundle = composeBundle({
    entryId: alarm.entryId,
    title: alarm.title,
    description: alarm.description,
    time: now,
    to,
    own: own.filter((each) => !alarm.recipients.includes(each)),
    items,
    detections: outcome.detections,
    stored: await eventTexts(
      db,
      eventIds([...listed.continuing, ...listed.cleared]),
      alarm.description,
    ),
    maybeMailed: await maybeNotified(db, { alarm: alarm.entryId, channel }, late, now),
    caveats: [...outcome.reasons, ...scopeErrors(outcome.scopes)],
  });
  return { bundle, message: renderMessage(bundle) };
}

function eventIds(items: readonly DueItem[]): readonly string[] {
  return items.map(({ eventId }) => eventId);
}
