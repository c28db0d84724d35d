import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import type { JsonObject } from "../../src/text/json.ts";
import { startGracedb } from "../alarms/gracedb_server.ts";
import { type ReadMail, readEml } from "../support/eml.ts";
import type { ProcessResult } from "../support/process.ts";
import { insertAlarm } from "../support/rows.ts";
import { shiftedClock } from "../support/shifted_clock.ts";
import { filesIn, makeSite, type Site } from "../support/site.ts";
import { type Played, serveAt } from "./gracedb_played.ts";

const SHIPPED = fileURLToPath(new URL("../../alarms", import.meta.url));

const GRACEDB_ALARMS = [
  "gracedb_followup",
  "gracedb_label_consistency",
  "gracedb_event_rate",
  "gracedb_alert_flow",
  "gracedb_heartbeat",
] as const;

export interface GracedbSite {
  readonly site: Site;
  /** Serves what there is at that time, and runs a command whose clock shows it. */
  commandAt(time: number, ...args: readonly string[]): Promise<ProcessResult>;
  /** Mails since the last call, the oldest first. */
  newMails(): Promise<readonly ReadMail[]>;
  /** Path and query of the requests since the last call. */
  newRequests(): readonly string[];
}

/** A site with the five alarms, and GraceDB as it grows in the time that the test says it is. */
export async function gracedbSite(superevents: readonly Played[]): Promise<GracedbSite> {
  const rows: JsonObject[] = [];
  const server = await startGracedb(rows, 30);
  onTestFinished(() => server.close());
  const site = await makeSite({
    alarmsDir: SHIPPED,
    mail: "file",
    more: `[sources.gracedb]\nbase_url = ${JSON.stringify(server.url)}`,
  });
  await site.withDatabase(async (db) => {
    for (const name of GRACEDB_ALARMS) await insertAlarm(db, name, { notify_clear: true });
    // It would ask for the same as one of these.
    await insertAlarm(db, "gracedb_awaiting_decision", {}, { archived: true });
  });
  const read = new Set<string>();
  let counted = 0;
  return {
    site,
    commandAt: async (time, ...args) => {
      rows.splice(0, rows.length, ...serveAt(server, superevents, time));
      return await site.command(args, { env: shiftedClock(time - Date.now() / 1000) });
    },
    newMails: async () => {
      const outbox = join(site.folder, "outbox");
      const names = filesIn(outbox).filter((name) => !read.has(name));
      for (const name of names) read.add(name);
      return await Promise.all(
        names.map(async (name) => await readEml(readFileSync(join(outbox, name), "utf8"))),
      );
    },
    newRequests: () => {
      const since = server.requests.slice(counted);
      counted = server.requests.length;
      return since;
    },
  };
}
