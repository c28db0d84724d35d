import {
  array,
  boolean,
  fallback,
  type InferOutput,
  maxValue,
  minValue,
  nullish,
  number,
  object,
  optional,
  picklist,
  pipe,
  record,
  safeParse,
  string,
  transform,
  tuple,
  unknown,
} from "valibot";
import type { Ack } from "../core/ack.ts";
import { EMAIL } from "../core/alarm_channels.ts";
import { type Level, SEVERITIES } from "../core/level.ts";
import type { Notices } from "../core/model.ts";
import { NO_NOTICES } from "../core/news.ts";

/** SQL for what an event's row says about its notifications, as JSON text; `last_notified` counts where nothing else does. */
export const NOTICES = `CASE WHEN jsonb_typeof(data->'swf'->'notified') = 'object' AND NOT data ? 'mail_owed' THEN '[' || (data->>'swf') || ',null,null]'
              ELSE jsonb_build_array(data->'swf', data->'last_notified', data->'mail_owed')::text END`;
/** SQL for the object that this engine adds to an event; earlier versions added none. */
export const SWF = `CASE WHEN jsonb_typeof(data->'swf') = 'object' THEN data->'swf' ELSE '{}' END`;

const texts = fallback(array(string()), []);
const time = pipe(number(), maxValue(1e15));
const count = pipe(number(), minValue(0), maxValue(1e6));
const text = fallback(optional(string()), undefined);

const AckData = pipe(
  object({
    by: fallback(string(), "unknown"),
    reason: fallback(string(), ""),
    at: time,
    until: fallback(nullish(time), undefined),
    sticky: fallback(boolean(), false),
    ended_at: fallback(nullish(time), undefined),
    ended: fallback(
      picklist(["its time is over", "severity rose", "stage advanced", "by operator"]),
      "by operator",
    ),
  }),
  transform(({ until, ended_at: at, ended: reason, ...ack }): Ack => {
    return { ...ack, until: until ?? undefined, ended: at ? { at, reason } : undefined };
  }),
);

/** A severity and a stage as rows have them. */
const LevelData = object({
  severity: fallback(optional(picklist(SEVERITIES)), undefined),
  stage: text,
});

const Swf = object({
  news_at: fallback(optional(time), undefined),
  news: fallback(picklist(["fired", "severity", "stage", "cleared"]), "fired"),
  notified: fallback(optional(record(string(), fallback(number(), 0))), undefined),
  to: fallback(record(string(), texts), {}),
  recipients: texts,
  unsent: texts,
  // Earlier versions had one number for all channels.
  reminders: fallback(record(string(), fallback(count, 0)), {}),
  ack: fallback(optional(AckData), undefined),
  first_seen: fallback(optional(time), undefined),
  peak: fallback(optional(LevelData), undefined),
  fired: fallback(optional(LevelData), undefined),
});

const NO_SWF: InferOutput<typeof Swf> = {
  news_at: undefined,
  news: "fired",
  notified: undefined,
  to: {},
  recipients: [],
  unsent: [],
  reminders: {},
  ack: undefined,
  first_seen: undefined,
  peak: undefined,
  fired: undefined,
};

const Row = tuple([fallback(Swf, NO_SWF), fallback(optional(number()), undefined), unknown()]);

/** What the object `swf` of an event's row says. */
export interface ReadSwf {
  readonly notices: Notices;
  /** Of a cleared event: the channels that still have to hear of it. */
  readonly unsent: readonly string[];
  readonly peak?: Level | undefined;
  /** Its severity and stage when it fired, if they have changed. */
  readonly fired?: Level | undefined;
  readonly firstSeen?: number | undefined;
}

/**
 * Reads what events' rows say about their notifications. Rows with the same text share one object: an alarm may have a
 * million events. In rows of earlier versions `last_notified` and `mail_owed` are those of email.
 */
export function swfReader(): (text: unknown) => ReadSwf {
  const known = new Map<unknown, ReadSwf>();
  return (text) => {
    const found = known.get(text) ?? parse(text);
    known.set(text, found);
    return found;
  };
}

function parse(text: unknown): ReadSwf {
  const parsed = safeParse(Row, typeof text === "string" ? JSON.parse(text) : undefined);
  if (!parsed.success) return { notices: NO_NOTICES, unsent: [] };
  const [swf, lastNotified, mailOwed] = parsed.output;
  const before = lastNotified ? { [EMAIL]: lastNotified } : {};
  const isOwed = mailOwed === true || mailOwed === "true";
  const { peak, fired, first_seen: firstSeen } = swf;
  return {
    notices: {
      newsAt: swf.news_at,
      news: swf.news,
      notified: swf.notified ?? before,
      to: swf.to,
      recipients: swf.recipients,
      reminders: swf.reminders,
      ack: swf.ack,
    },
    unsent: isOwed && swf.unsent.length === 0 ? [EMAIL] : swf.unsent,
    peak: peak && levelOf(peak),
    fired: fired && levelOf(fired),
    firstSeen,
  };
}

function levelOf({ severity, stage }: InferOutput<typeof LevelData>): Level {
  return { severity, stage };
}

/** SQL for the severity and the stage of an event; null without both. */
export const LEVEL = `CASE WHEN data ?| '{severity,stage}' THEN jsonb_build_array(data->'severity', data->'stage')::text END`;

const LevelRow = tuple([
  fallback(optional(picklist(SEVERITIES)), undefined),
  fallback(optional(string()), undefined),
]);

/** Reads `LEVEL`; few different ones are shared by many events. */
export function levelReader(): (text: unknown) => { readonly level?: Level } {
  const known = new Map<unknown, { readonly level?: Level }>();
  return (text) => {
    if (typeof text !== "string") return {};
    const found = known.get(text) ?? parseLevel(text);
    known.set(text, found);
    return found;
  };
}

function parseLevel(text: string): { readonly level?: Level } {
  const parsed = safeParse(LevelRow, JSON.parse(text));
  if (!parsed.success) return {};
  const [severity, stage] = parsed.output;
  return severity === undefined && stage === undefined ? {} : { level: { severity, stage } };
}
