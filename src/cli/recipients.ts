import { InvalidArgumentError } from "commander";
import { resolveRecipients, splitRecipients } from "../core/recipients.ts";
import type { Queryable } from "../store/database.ts";
import { listTeams } from "../store/teams.ts";
import { requireKnown } from "./alarms.ts";

/** The recipients that a person typed, as written, and their addresses. Throws NotFound, InvalidArgumentError. */
export async function parseRecipients(db: Queryable, texts: readonly string[]) {
  const to = texts.flatMap(splitRecipients);
  const teams = await listTeams(db);
  const named = to.filter((token) => token.startsWith("@"));
  requireKnown("team", named, [...teams.keys()]);
  const { addresses, faults } = resolveRecipients(to, teams);
  const [fault] = to.length === 0 ? ["write email addresses and @teams"] : faults;
  if (fault !== undefined) throw new InvalidArgumentError(fault);
  return { to, addresses };
}
