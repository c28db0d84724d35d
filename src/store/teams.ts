import { randomUUID } from "node:crypto";
import { object, parse, string } from "valibot";
import type { Team } from "../core/model.ts";
import { splitRecipients } from "../core/recipients.ts";
import type { Queryable } from "./database.ts";
import { entryTitle, jsonText, TEAMS_CONTEXT } from "./entry.ts";
import { keepVersion } from "./versions.ts";

const TeamRow = object({ name: string(), title: string(), content: string() });

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
      const { name, title, content } = parse(TeamRow, row);
      return [name, { name, title, members: splitRecipients(content) }];
    }),
  );
}

/** Makes a team, or gives an existing one new members; a removed team comes back. */
export async function setTeam(db: Queryable, team: Team, by: string, now: number): Promise<void> {
  const [existing] = await db.query(
    `SELECT id FROM entry WHERE context_id = '${TEAMS_CONTEXT}' AND name = $1`,
    [team.name],
  );
  const content = team.members.join("\n");
  if (existing !== undefined) {
    const id = String(existing.id);
    await keepVersion(db, id, by, now);
    await db.query(
      `UPDATE entry SET title = $2, content = $3, archived = false, deleted_at = NULL, timestamp_modified = $4 WHERE id = $1`,
      [id, entryTitle(team.title), content, now],
    );
    return;
  }
  await db.query(
    `INSERT INTO entry (id, title, content, kind, name, data, priority, status, archived,
                        timestamp_created, timestamp_modified, deleted_at, parent_id, context_id)
     VALUES ($1, $2, $3, 'team', $4, $5::text::jsonb, NULL, 'active', false, $6, $6, NULL, NULL, '${TEAMS_CONTEXT}')`,
    [
      randomUUID(),
      entryTitle(team.title),
      content,
      team.name,
      jsonText({ entry_id: `team_${team.name.slice(1)}` }),
      now,
    ],
  );
}

/** Takes a team out of use. Gives false where there is none of that name. */
export async function removeTeam(db: Queryable, name: string, now: number): Promise<boolean> {
  const rows = await db.query(
    `UPDATE entry SET archived = true, deleted_at = $2, timestamp_modified = $2
     WHERE context_id = '${TEAMS_CONTEXT}' AND kind = 'team' AND name = $1 AND archived = false AND deleted_at IS NULL
     RETURNING id`,
    [name, now],
  );
  return rows.length > 0;
}
