import type { Announcement } from "../core/announcement.ts";
import { attemptsSince } from "../core/notice.ts";
import { isPaused, MAY_BE_DUPLICATE } from "../core/repeats.ts";
import { renderAnnouncement } from "../message/announcement.ts";
import type { Transaction } from "../store/database.ts";
import type { States } from "../store/engine_state.ts";
import { unknownAttempts } from "../store/notifications.ts";
import { errorText } from "../text/describe.ts";
import { type Delivered, type DeliverFacts, deliver } from "./deliver.ts";

export interface StateFacts extends DeliverFacts {
  /** What earlier ticks stored. */
  readonly states: States;
}

/** A state that the engine keeps about an alarm or a source, and the mail that its change calls for. */
export interface StateChange<S> {
  /** What the state is about, for messages. */
  readonly of: string;
  readonly before: S | undefined;
  readonly after: S | undefined;
  /** The state once the notice was delivered. */
  readonly notified: S | undefined;
  readonly notice: Announcement | undefined;
  readonly recipients: readonly string[];
  readonly save: (tx: Transaction, state: S | undefined) => Promise<void>;
}

/** Stores a state that has changed and delivers the mail that it calls for. Never throws. */
export async function saveAndNotify<S>(
  facts: StateFacts,
  { of, before, after, notified, notice, recipients, save }: StateChange<S>,
): Promise<Delivered> {
  const { db, mailing, run } = facts;
  const { mode, now } = run;
  if (mode === "plan") return { sent: false, errors: [] };
  try {
    const isDue = notice !== undefined && mode === "tick" && recipients.length > 0;
    const channel = isDue ? await mailing.channel() : undefined;
    // A recovery that cannot be mailed now is never mailed.
    const cannotBeMailed =
      mode === "tick" && channel === undefined && notice?.about.endsWith("recovery");
    const kept = cannotBeMailed === true ? notified : after;
    if (JSON.stringify(kept) !== JSON.stringify(before))
      await db.transaction((tx) => save(tx, kept));
    if (notice === undefined || channel === undefined) return { sent: false, errors: [] };
    const id = `${notice.about} of ${of} since ${notice.since}`;
    const named = [{ eventId: id, since: attemptsSince(notice.since, now) }];
    const unknown = (await unknownAttempts(db, notice.of, named)).get(id);
    if (isPaused(unknown, now)) return { sent: false, errors: [] };
    const { paragraphs } = notice;
    const mark = unknown === undefined ? [] : [`This mail ${MAY_BE_DUPLICATE}.`];
    return await mailing.inTurn(async () => {
      const outgoing = {
        alarm: notice.of,
        about: notice.about,
        announces: id,
        message: renderAnnouncement({ ...notice, paragraphs: [...mark, ...paragraphs] }, now),
        isRepeat: unknown !== undefined,
        recipients,
        stamp: (tx: Transaction) => save(tx, notified),
      };
      const { sent, errors } = await deliver(channel, outgoing, facts);
      return { sent, errors: errors.map((error) => `about ${notice.about}: ${error}`) };
    });
  } catch (error) {
    const reason = errorText(error);
    return { sent: false, errors: [`cannot store the state of ${of}: ${reason}`] };
  }
}
