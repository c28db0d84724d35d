import {
  array,
  fallback,
  maxValue,
  number,
  object,
  optional,
  pipe,
  record,
  safeParse,
  string,
  tuple,
  unknown,
} from "valibot";
import { EMAIL } from "../core/alarm_channels.ts";
import type { Notices } from "../core/model.ts";
import { NO_NOTICES } from "../core/news.ts";

/** SQL for what an event's row says about its notifications, as JSON text; `last_notified` counts where nothing else does. */
export const NOTICES = `CASE WHEN jsonb_typeof(data->'swf'->'notified') = 'object' AND NOT data ? 'mail_owed' THEN '[' || (data->>'swf') || ',null,null]'
              ELSE jsonb_build_array(data->'swf', data->'last_notified', data->'mail_owed')::text END`;
/** SQL for the object that this engine adds to an event; earlier versions added none. */
export const SWF = `CASE WHEN jsonb_typeof(data->'swf') = 'object' THEN data->'swf' ELSE '{}' END`;

const texts = fallback(array(string()), []);

const Row = tuple([
  fallback(
    object({
      news_at: fallback(optional(pipe(number(), maxValue(1e15))), undefined),
      notified: fallback(optional(record(string(), fallback(number(), 0))), undefined),
      to: fallback(record(string(), texts), {}),
      recipients: texts,
      unsent: texts,
    }),
    { news_at: undefined, notified: undefined, to: {}, recipients: [], unsent: [] },
  ),
  fallback(optional(number()), undefined),
  unknown(),
]);

type ReadNotices = Notices & { readonly unsent: readonly string[] };

/**
 * Reads what events' rows say about their notifications. Rows with the same text share one object: an alarm may have a
 * million events. In rows of earlier versions `last_notified` and `mail_owed` are those of email.
 */
export function noticesReader(): (text: unknown) => ReadNotices {
  const known = new Map<unknown, ReadNotices>();
  return (text) => {
    const notices = known.get(text) ?? parse(text);
    known.set(text, notices);
    return notices;
  };
}

function parse(text: unknown): ReadNotices {
  const parsed = safeParse(Row, typeof text === "string" ? JSON.parse(text) : undefined);
  if (!parsed.success) return { ...NO_NOTICES, unsent: [] };
  const [swf, lastNotified, mailOwed] = parsed.output;
  const before = lastNotified ? { [EMAIL]: lastNotified } : {};
  const isOwed = mailOwed === true || mailOwed === "true";
  return {
    newsAt: swf.news_at,
    notified: swf.notified ?? before,
    to: swf.to,
    recipients: swf.recipients,
    unsent: isOwed && swf.unsent.length === 0 ? [EMAIL] : swf.unsent,
  };
}
