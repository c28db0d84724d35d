import type { Channel } from "../channel/channel.ts";
import type { Bundle, ListedItem } from "../core/bundle.ts";
import type { Delivery } from "../core/delivery.ts";
import type { Database, Queryable, SqlValue } from "../store/database.ts";
import { entryTitle } from "../store/entry.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../text/json.ts";
import type { Redact } from "../text/redact.ts";

/** The database, with the secrets taken out of the texts that are stored. */
export function redactedDatabase(db: Database, redact: Redact): Database {
  const redacted = (target: Queryable): Queryable => ({
    query: (sql, params = []) => {
      const clean = params.map((param) => redactParam(param, redact));
      return target.query(sql, clean);
    },
  });
  return {
    ...db,
    ...redacted(db),
    transaction: (work, options) =>
      db.transaction((tx) => work({ ...redacted(tx), isTransaction: true }), options),
  };
}

/** Rows and data travel as JSON. Another parameter is a name or an id, unless it has lines: a mail's text. */
function redactParam(param: SqlValue, redact: Redact): SqlValue {
  if (typeof param !== "string") return param;
  const redacted = redact(param);
  if (redacted === param) return param;
  if (!/^[[{]/.test(param)) return param.includes("\n") ? redacted : param;
  const value: JsonValue = JSON.parse(param);
  const clean = Array.isArray(value)
    ? value.map((row) => (isJsonObject(row) ? redactRow(row, redact) : row))
    : redactData(value, "", redact);
  return JSON.stringify(clean);
}

function redactRow(row: JsonObject, redact: Redact): JsonObject {
  const { title, content, data } = row;
  return {
    ...row,
    ...(typeof title === "string" ? { title: entryTitle(redact(title)) } : {}),
    ...(typeof content === "string" ? { content: redact(content) } : {}),
    ...(data === undefined ? {} : { data: redactData(data, "", redact) }),
  };
}

/** What statements compare: a password that is part of a name must not change it. */
const IDENTIFIERS = new Set([
  "entry_id",
  "dedupe_key",
  "alarm_config_id",
  "alarm",
  "run_id",
  "recipients",
  "pending",
  "given_up",
  "to",
  "own",
  "channel",
  "eventId",
  "entryId",
  "dedupeKey",
  "address",
  "message_ids",
  "new_event_ids",
  "continuing_event_ids",
  "cleared_event_ids",
  "bundle_new_event_ids",
  "bundle_renotify_event_ids",
  "fingerprint",
]);

function redactData(value: JsonValue, key: string, redact: Redact): JsonValue {
  if (IDENTIFIERS.has(key)) return value;
  if (typeof value === "string") return redact(value);
  if (Array.isArray(value)) return value.map((item) => redactData(item, key, redact));
  if (!isJsonObject(value)) return value;
  // The keys of `per_alarm` are the names of alarms.
  const nameOf = key === "per_alarm" ? (name: string) => name : redact;
  return Object.fromEntries(
    Object.entries(value).map(([name, item = null]) => [
      nameOf(name),
      redactData(item, name, redact),
    ]),
  );
}

/** The channel, with the secrets taken out of everything that it delivers, and of what its service says. */
export function redactedChannel(channel: Channel, redact: Redact): Channel {
  // Here, because texts that are cut later may end inside a secret.
  const clean = (delivery: Delivery): Delivery => {
    const { error, refused } = delivery;
    return {
      ...delivery,
      refused: refused.map((each) => ({ ...each, reason: redact(each.reason) })),
      error: error && { ...error, message: redact(error.message) },
    };
  };
  return {
    deliver: async ({ subject, text, html, bundle, ...outgoing }, signal, onProgress) => {
      const message = { subject: redact(subject), text: redact(text), html: redact(html) };
      return clean(
        await channel.deliver(
          { ...outgoing, ...message, bundle: bundle && redactBundle(bundle, redact) },
          signal,
          onProgress && ((soFar) => onProgress(clean(soFar))),
        ),
      );
    },
  };
}

function redactBundle(bundle: Bundle, redact: Redact): Bundle {
  const item = (listed: ListedItem): ListedItem => {
    const { dedupeKey, subject, body, stage, changes, clearReason } = listed;
    return {
      ...listed,
      dedupeKey: redact(dedupeKey),
      subject: redact(subject),
      body: redact(body),
      ...(stage !== undefined && { stage: redact(stage) }),
      ...(changes !== undefined && { changes: changes.map(redact) }),
      ...(clearReason !== undefined && { clearReason: redact(clearReason) }),
    };
  };
  return {
    ...bundle,
    title: redact(bundle.title),
    description: redact(bundle.description),
    fresh: bundle.fresh.map(item),
    continuing: bundle.continuing.map(item),
    cleared: bundle.cleared.map(item),
    caveats: bundle.caveats.map(redact),
  };
}
