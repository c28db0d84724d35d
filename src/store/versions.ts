import type { Queryable } from "./database.ts";

/**
 * Keeps an entry's present title, content and data as its next version, as Django does before a save.
 * Call it inside the transaction of the change.
 */
export async function keepVersion(
  db: Queryable,
  entryId: string,
  by: string,
  now: number,
): Promise<void> {
  await db.query(
    `INSERT INTO entry_version (version_num, title, content, data, changed_by, "timestamp", entry_id)
     SELECT coalesce((SELECT max(version_num) FROM entry_version WHERE entry_id = entry.id), 0) + 1,
            title, content, data, $2, $3, id
     FROM entry WHERE id = $1`,
    [entryId, by.slice(0, 100), now],
  );
}
