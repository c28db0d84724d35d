import type { Team } from "../core/model.ts";
import { splitRecipients } from "../core/recipients.ts";
import type { Queryable, Transaction } from "./database.ts";
import { entryTitle, insertEntries, keepVersion, TEAMS_CONTEXT } from "./entry.ts";

/** The teams in use, by name. */
export async function listTeams(db: Queryable): Promise<ReadonlyMap<string, Team>> {
  const rows = await db.query(
    `SELECT name, title, content FROM entry
     WHERE context_id = '${TEAMS_CONTEXT}' AND kind = 'team' AND name IS NOT NULL
       AND archived = false AND deleted_at IS NULL
     ORDER BY name`,
  );
  return new Map(
    rows.map((row) => {
      const name = String(row.name);
      const members = splitRecipients(String(row.content));
      return [name, { name, title: String(row.title), members }];
    }),
  );
}

/** Creates a team, or sets the members of an existing one; a removed team comes back. */
export async function setTeam(tx: Transaction, team: Team, by: string, now: number): Promise<void> {
  const { name, title } = team;
  const content = team.members.join("\n");
  const data = { entry_id: `team_${name.slice(1)}` };
  const onConflict = "ON CONFLICT (context_id, name) WHERE name IS NOT NULL DO NOTHING";
  const set = {
    kind: "team",
    status: "active",
    at: now,
    context: TEAMS_CONTEXT,
    onConflict,
  } as const;
  const made = await insertEntries(tx, set, [{ name, title, content, data }]);
  if (made.size > 0) return;
  const [existing] = await tx.query(
    `SELECT id FROM entry WHERE context_id = '${TEAMS_CONTEXT}' AND name = $1`,
    [name],
  );
  const id = String(existing?.id);
  await keepVersion(tx, id, by, now);
  await tx.query(
    `UPDATE entry SET title = $2, content = $3, archived = false, deleted_at = NULL, timestamp_modified = $4 WHERE id = $1`,
    [id, entryTitle(title), content, now],
  );
}

/** Takes a team out of use. Returns false if there is none of that name. */
export async function removeTeam(tx: Transaction, name: string, now: number): Promise<boolean> {
  const rows = await tx.query(
    `UPDATE entry SET archived = true, deleted_at = $2, timestamp_modified = $2
     WHERE context_id = '${TEAMS_CONTEXT}' AND kind = 'team' AND name = $1 AND archived = false AND deleted_at IS NULL
     RETURNING id`,
    [name, now],
  );
  return rows.length > 0;
}
