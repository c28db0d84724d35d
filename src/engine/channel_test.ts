import { randomUUID } from "node:crypto";
import type { ConfiguredChannel } from "../channel/registry.ts";
import { alarmEntryId, ENGINE } from "../core/event_key.ts";
import { renderMessage } from "../message/render.ts";
import { DELIVERED, lateOf, readStates, saveLate } from "../store/engine_state.ts";
import { ChannelQueue } from "./channel_queue.ts";
import { deliverNew } from "./deliver.ts";
import type { Engine } from "./tick.ts";

/** To whom a test goes: as written, and the addresses or the target. */
export interface TestTarget {
  readonly to: readonly string[];
  readonly recipients: readonly string[];
}

/** Delivers a notification that says it is a test, once. Returns the id of its record, which says what became of it. */
export async function testChannel(
  { name, type, opener }: ConfiguredChannel,
  { to, recipients }: TestTarget,
  { db, openChannel: open, clock }: Pick<Engine, "db" | "openChannel" | "clock">,
  signal: AbortSignal,
): Promise<string> {
  if (opener === undefined) throw new Error(`the channel ${name} cannot be used`);
  const [id, alarm, time] = [randomUUID(), alarmEntryId(ENGINE), clock()];
  const bundle = {
    entryId: alarm,
    title: "Test",
    description: "",
    time,
    freshCount: 0,
    continuingCount: 0,
    clearedCount: 0,
    fresh: [],
    continuing: [],
    cleared: [],
    caveats: [],
    to,
    isTest: true,
  } as const;
  const message = renderMessage(bundle);
  const notification = {
    id,
    alarm,
    runId: undefined,
    channel: name,
    type,
    composedAt: time,
    to,
    own: [],
    recipients,
    newEventIds: [],
    continuingEventIds: [],
    clearedEventIds: [],
    subject: message.subject,
    text: message.text,
    bundle,
    supersedes: [],
    unknownBefore: 0,
  };
  // Whoever tests waits for no service.
  const times = { patientUntil: 0, closedUntil: 0 };
  const queue = new ChannelQueue({ type, opener, open, signal, clock, ...times });
  await deliverNew({ notification, message, ahead: [] }, { db, queue, run: { clock, now: time } });
  const { attempted, error } = queue.report;
  if (attempted && error === undefined) {
    // Until the next notification nothing else shows the alarm `engine` that the channel works again.
    const late = new Map(lateOf(await readStates(db))).set(name, DELIVERED);
    await db.transaction((tx) => saveLate(tx, late, clock()));
  }
  return id;
}
