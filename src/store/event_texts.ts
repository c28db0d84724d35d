import { object, parse, string, unknown } from "valibot";
import type { EventTexts } from "../core/bundle.ts";
import { isJsonObject } from "../text/json.ts";
import type { Queryable } from "./database.ts";

/** Stands between the alarm's description and the detection's body; the dashboards split at it too. */
export const CONTENT_MARK = "\n\n---\n\n";

const TextsRow = object({
  id: string(),
  title: string(),
  content: string(),
  data: unknown(),
});

/** Subject and detail as stored, by id; the detail is what follows the alarm's description. */
export async function eventTexts(
  db: Queryable,
  ids: readonly string[],
  description: string,
): Promise<ReadonlyMap<string, EventTexts>> {
  if (ids.length === 0) return new Map();
  const rows = await db.query(
    "SELECT id, title, content, data FROM entry WHERE id = ANY($1::text[])",
    [ids],
  );
  return new Map(
    rows.map((row) => {
      const { id, title, content, data } = parse(TextsRow, row);
      const subject = isJsonObject(data) && typeof data.subject === "string" ? data.subject : title;
      return [id, { subject, body: detailOf(content, description) }];
    }),
  );
}

/**
 * What follows the description. The mark may be in the description as well, so the one that the alarm
 * has now is tried first; an event may have fired under another.
 */
function detailOf(content: string, description: string): string {
  const head = `${description.trimEnd()}${CONTENT_MARK}`;
  if (content.startsWith(head)) return content.slice(head.length);
  const mark = content.indexOf(CONTENT_MARK);
  return (mark < 0 ? "" : content.slice(mark + CONTENT_MARK.length)) || content;
}
