import type { Channel } from "../channel/channel.ts";
import { type Bundle, composeBundle, listedItems, shortBundle } from "../core/bundle.ts";
import { type Delivery, deliveryErrors, judgeDelivery } from "../core/delivery.ts";
import type { Mode, Outcome } from "../core/model.ts";
import type { BundleItem, Notice } from "../core/notice.ts";
import { type Message, renderMessage } from "../message/render.ts";
import type { Database } from "../store/database.ts";
import { eventTexts } from "../store/event_texts.ts";
import { stampNotified } from "../store/events.ts";
import { closeNotification, maybeMailed, openNotification } from "../store/notifications.ts";
import { errorText } from "../text/describe.ts";
import { finishMails, type MailFacts } from "./finish_mail.ts";

export interface NotifyFacts extends MailFacts {
  readonly outcome: Outcome;
  readonly notice: Notice;
  readonly mode: Mode;
  readonly runId: string;
}

/** What became of the alarm's mail. */
export interface NotifyResult {
  /** Whether a bundle went out, to anybody at all. */
  readonly sent: boolean;
  /** What went wrong, one text for each thing to do. */
  readonly errors: readonly string[];
}

/** Finishes what earlier mails left undone, and delivers the alarm's bundle if one is due. Never throws. */
export async function notify(db: Database, facts: NotifyFacts): Promise<NotifyResult> {
  if (facts.mode !== "tick") return { sent: false, errors: [] };
  const earlier = await withoutThrowing(async () => {
    return { sent: false, errors: await finishMails(db, facts) };
  });
  const { sent, errors } = await withoutThrowing(async () => {
    const channel = facts.notice.send ? await facts.mailing.channel() : undefined;
    if (channel === undefined) return { sent: false, errors: [] };
    return await facts.mailing.inTurn(() => deliverNotice(db, channel, facts));
  });
  return { sent, errors: [...earlier.errors, ...errors] };
}

async function withoutThrowing(work: () => Promise<NotifyResult>): Promise<NotifyResult> {
  try {
    return await work();
  } catch (error) {
    const reason = errorText(error);
    return { sent: false, errors: [`cannot record the mail: ${reason}; its events stay owed`] };
  }
}

/**
 * Delivers the alarm's bundle: the attempt is on record before it is made, and events are stamped only
 * after the channel confirmed. Dying in between can repeat a mail, never lose one.
 */
async function deliverNotice(
  db: Database,
  channel: Channel,
  facts: NotifyFacts,
): Promise<NotifyResult> {
  const { alarm, notice, recipients, clock } = facts;
  const bundle = await compose(db, facts);
  const message = renderMessage(bundle);
  const ids = idsOf(notice);
  const attempt = await openNotification(
    db,
    {
      alarm: alarm.entryId,
      runId: facts.runId,
      channel: channel.name,
      subject: message.subject,
      text: message.text,
      recipients,
      newEventIds: ids.fresh,
      continuingEventIds: ids.continuing,
      clearedEventIds: ids.cleared,
    },
    clock(),
  );
  const { delivery, shortened } = await deliver(channel, bundle, message, facts);
  const verdict = judgeDelivery(delivery);
  const sent = verdict.outcome !== "failed";
  const confirmedAt = clock();
  await db.transaction(async (tx) => {
    if (sent)
      await stampNotified(tx, [...ids.fresh, ...ids.continuing, ...ids.cleared], confirmedAt);
    await closeNotification(
      tx,
      attempt,
      {
        ...verdict,
        messageIds: delivery.messageIds,
        refused: delivery.refused,
        // Where nobody was told the events stay owed, and the next bundle tells everybody.
        pending: sent ? delivery.pending : [],
        mayBeSent: delivery.error?.mayBeDelivered ?? false,
        shortened,
      },
      confirmedAt,
    );
  });
  return { sent, errors: deliveryErrors(delivery) };
}

/** Delivers the mail; once more with the subjects alone where the service finds it too large. */
async function deliver(
  channel: Channel,
  bundle: Bundle,
  message: Message,
  { alarm, mailing, now, recipients }: NotifyFacts,
): Promise<{ delivery: Delivery; shortened: string | undefined }> {
  const mail = { ...message, alarm: alarm.entryId, time: now, recipients };
  const delivery = await mailing.deliver(channel, mail);
  if (delivery.error?.scope !== "size" || delivery.confirmed.length > 0)
    return { delivery, shortened: undefined };
  const short = renderMessage(shortBundle(bundle));
  const second = await mailing.deliver(channel, { ...mail, ...short });
  return { delivery: second, shortened: short.text };
}

/** The bundle that a notice means, with what only the database knows. */
async function compose(
  db: Database,
  { alarm, outcome, notice, now }: NotifyFacts,
): Promise<Bundle> {
  const listed = listedItems(notice);
  const unseen = listed.continuing.filter(
    ({ dedupeKey }) => outcome.detections.get(dedupeKey) === undefined,
  );
  const late = [
    ...listed.continuing.filter(({ reason }) => reason === "unsent"),
    ...listed.cleared,
  ];
  const since = Math.min(...late.map(({ fireTime }) => fireTime));
  return composeBundle({
    entryId: alarm.entryId,
    title: alarm.title,
    description: alarm.description,
    time: now,
    notice,
    detections: outcome.detections,
    stored: await eventTexts(db, [...unseen, ...listed.cleared].map(eventId), alarm.description),
    maybeMailed: await maybeMailed(db, alarm.entryId, late.map(eventId), since),
    caveats: outcome.reasons,
  });
}

function idsOf({ fresh, continuing, cleared }: Notice) {
  return {
    fresh: fresh.map(eventId),
    continuing: continuing.map(eventId),
    cleared: cleared.map(eventId),
  };
}

function eventId(mention: BundleItem): string {
  return mention.eventId;
}
