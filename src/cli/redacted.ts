import type { Channel } from "../channel/channel.ts";
import type { Database, Queryable, SqlValue } from "../store/database.ts";
import { type Redact, redactedJson } from "../text/redact.ts";

/** The database, with the secrets taken out of everything that is sent to it. */
export function redactedDatabase(db: Database, redact: Redact): Database {
  const redacted = (target: Queryable): Queryable => ({
    query: (sql, params = []) => {
      const clean = params.map((param) => redactParam(param, redact));
      return target.query(sql, clean);
    },
  });
  return {
    ...redacted(db),
    transaction: (work, options) => db.transaction((tx) => work(redacted(tx)), options),
    script: (sql) => db.script(sql),
    tryLock: (name, staleAfter) => db.tryLock(name, staleAfter),
    close: () => db.close(),
  };
}

function redactParam(param: SqlValue, redact: Redact): SqlValue {
  if (typeof param === "string") return redactText(param, redact);
  return Array.isArray(param) ? param.map((text) => redactText(text, redact)) : param;
}

/** Of JSON only the strings and keys: a password such as 123456 must not break a number in it. */
function redactText(text: string, redact: Redact): string {
  const redacted = redact(text);
  if (redacted === text || !/^[[{]/.test(text)) return redacted;
  try {
    return JSON.stringify(redactedJson(text, redact));
  } catch {
    return redacted;
  }
}

/** The channel, with the secrets taken out of every mail. */
export function redactedChannel(channel: Channel, redact: Redact): Channel {
  return {
    name: channel.name,
    deliver: ({ subject, text, html, ...mail }, signal) =>
      channel.deliver(
        { ...mail, subject: redact(subject), text: redact(text), html: redact(html) },
        signal,
      ),
  };
}
