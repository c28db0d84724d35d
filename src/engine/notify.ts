import {
  type Bundle,
  type BundleFacts,
  composeBundle,
  listedItems,
  shortBundle,
} from "../core/bundle.ts";
import type { AlarmRow } from "../core/model.ts";
import { type BundleItem, decideNotice, NO_NOTICE, type Notice } from "../core/notice.ts";
import { pauseRepeats } from "../core/repeats.ts";
import { renderMessage } from "../message/render.ts";
import type { Database, Transaction } from "../store/database.ts";
import { eventTexts } from "../store/event_list.ts";
import { stampNotified, unsentClears } from "../store/events.ts";
import { type UnsentMail, unknownAttempts } from "../store/notifications.ts";
import { errorText } from "../text/describe.ts";
import { type Delivered, deliver } from "./deliver.ts";
import type { Recorded } from "./record.ts";
import { type MailFacts, retryMails } from "./retry_mails.ts";

export interface NotifyFacts extends MailFacts {
  /** Which alarms have something that earlier ticks could not send. */
  readonly unsent: UnsentMail;
}

/** What was decided about the alarm's mail, and what became of it. */
export interface Notified extends Delivered {
  readonly notice: Notice;
}

/** Completes earlier mails, then delivers the alarm's bundle if one is due. Never throws. */
export async function notify(
  alarm: AlarmRow,
  recorded: Recorded,
  facts: NotifyFacts,
): Promise<Notified> {
  const { db, mailing, run, recipients, mailConfigured, unsent } = facts;
  const { mode, now } = run;
  if (recorded.error !== undefined) return { notice: NO_NOTICE, sent: false, errors: [] };
  const errors: string[] = [];
  const attempt = async (work: () => Promise<readonly string[]>): Promise<void> => {
    try {
      errors.push(...(await work()));
    } catch (error) {
      errors.push(`cannot record the mail: ${errorText(error)}; its events stay unsent`);
    }
  };
  let earlier: Awaited<ReturnType<typeof unsentClears>> = [];
  await attempt(async () => {
    const clearedNow = new Set(recorded.plan.clear.map(({ event }) => event.id));
    if (unsent.hasClears(alarm.name))
      earlier = (await unsentClears(db, alarm.name)).filter(({ id }) => !clearedNow.has(id));
    if (mode !== "tick" || !unsent.hasPending(alarm.entryId)) return [];
    return await retryMails(alarm, facts);
  });
  let notice = decideNotice({
    alarm,
    plan: recorded.plan,
    opened: recorded.opened,
    unsentClears: earlier,
    recipientCount: recipients.length,
    mailConfigured,
    mode,
    now,
  });
  let sent = false;
  await attempt(async () => {
    const late = [...notice.continuing, ...notice.cleared];
    const maybeMailed = await unknownAttempts(db, alarm.entryId, late);
    notice = pauseRepeats(notice, maybeMailed, now);
    const channel = notice.send ? await mailing.channel() : undefined;
    if (channel === undefined) return [];
    return await mailing.inTurn(async () => {
      const bundle = await compose(db, alarm, recorded, { notice, maybeMailed, time: now });
      const { fresh, continuing, cleared } = notice;
      const outgoing = {
        alarm: alarm.entryId,
        message: renderMessage(bundle),
        shorter: () => renderMessage(shortBundle(bundle)),
        isRepeat: maybeMailed.size > 0,
        recipients,
        newEventIds: eventIds(fresh),
        continuingEventIds: eventIds(continuing),
        clearedEventIds: eventIds(cleared),
        stamp: (tx: Transaction, at: number) =>
          stampNotified(tx, eventIds([...fresh, ...continuing, ...cleared]), at),
      };
      const delivered = await deliver(channel, outgoing, facts);
      sent = delivered.sent;
      return delivered.errors;
    });
  });
  return { notice, sent, errors };
}

/** The bundle of a notice, with the texts that only the database has. */
async function compose(
  db: Database,
  alarm: AlarmRow,
  { outcome }: Recorded,
  given: Pick<BundleFacts, "notice" | "maybeMailed" | "time">,
): Promise<Bundle> {
  const listed = listedItems(given.notice);
  const unseen = listed.continuing.filter(({ dedupeKey }) => !outcome.detections.has(dedupeKey));
  return composeBundle({
    entryId: alarm.entryId,
    title: alarm.title,
    description: alarm.description,
    ...given,
    detections: outcome.detections,
    stored: await eventTexts(db, eventIds([...unseen, ...listed.cleared]), alarm.description),
    caveats: outcome.reasons,
  });
}

function eventIds(items: readonly BundleItem[]): readonly string[] {
  return items.map(({ eventId }) => eventId);
}
