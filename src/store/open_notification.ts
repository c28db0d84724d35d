import {
  array,
  boolean,
  exactOptional,
  fallback,
  type GenericSchema,
  number,
  object,
  optional,
  picklist,
  safeParse,
  string,
} from "valibot";
import { EMAIL } from "../core/alarm_channels.ts";
import type { Bundle } from "../core/bundle.ts";
import { SEVERITIES } from "../core/level.ts";
import type { OpenNotification } from "../core/notification.ts";
import type { Row } from "./database.ts";

const texts = fallback(array(string()), []);

const Item = object({
  eventId: string(),
  dedupeKey: string(),
  fireTime: number(),
  firstSeen: exactOptional(number()),
  severity: exactOptional(picklist(SEVERITIES)),
  stage: exactOptional(string()),
  clearTime: exactOptional(number()),
  clearReason: exactOptional(string()),
  reason: picklist([
    "new",
    "unsent",
    "severity rose",
    "stage advanced",
    "renotification due",
    "cleared",
    "cleared before it could be mailed",
  ]),
  subject: string(),
  body: string(),
  mayBeDuplicate: boolean(),
  reminder: exactOptional(object({ number: number(), isFinal: boolean() })),
  changes: exactOptional(array(string())),
});

const BundleData: GenericSchema<unknown, Bundle> = object({
  entryId: string(),
  title: string(),
  description: string(),
  time: number(),
  freshCount: number(),
  continuingCount: number(),
  clearedCount: number(),
  fresh: array(Item),
  continuing: array(Item),
  cleared: array(Item),
  caveats: array(string()),
  to: array(string()),
  own: exactOptional(array(string())),
});

const OpenRow = object({
  id: string(),
  title: string(),
  content: string(),
  data: object({
    state: fallback(
      picklist(["queued", "sending", "failed", "unknown", "partial"]),
      // Rows of earlier versions have none.
      "partial",
    ),
    channel: fallback(string(), EMAIL),
    attempted_at: number(),
    composed_at: fallback(optional(number()), undefined),
    since: fallback(optional(number()), undefined),
    not_before: fallback(number(), 0),
    attempts: fallback(number(), 1),
    to: texts,
    own: texts,
    recipients: texts,
    new_event_ids: texts,
    continuing_event_ids: texts,
    cleared_event_ids: texts,
    pending: texts,
    refused: fallback(array(object({ address: string(), reason: string() })), []),
    message_ids: texts,
    error: fallback(string(), ""),
    unknown_attempts: fallback(optional(object({ count: number(), last: number() })), undefined),
    bundle: fallback(optional(BundleData), undefined),
  }),
});

/** A row as an open notification; undefined if it cannot be read. */
export function readOpen(row: Row): OpenNotification | undefined {
  const parsed = safeParse(OpenRow, row);
  if (!parsed.success) return undefined;
  const { id, title, content, data } = parsed.output;
  const hasState = Object.hasOwn(Object(row.data), "state");
  return {
    id,
    channel: hasState ? data.channel : EMAIL,
    // The engine died in the attempt.
    state: data.state === "sending" ? "unknown" : data.state,
    to: data.to,
    own: data.own,
    recipients: data.recipients,
    newEventIds: data.new_event_ids,
    continuingEventIds: data.continuing_event_ids,
    clearedEventIds: data.cleared_event_ids,
    composedAt: data.composed_at ?? data.attempted_at,
    since: data.since ?? data.attempted_at,
    notBefore: data.not_before,
    attempts: data.attempts,
    pending: data.pending,
    refused: data.refused,
    messageIds: data.message_ids,
    unknown: data.unknown_attempts,
    error: data.error,
    subject: title,
    text: content,
    bundle: data.bundle,
  };
}
