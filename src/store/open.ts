import type { DbConfig } from "../config/config.ts";
import type { Database } from "./database.ts";
import { hasDatabase } from "./embedded/folder.ts";

/**
 * Opens the configured database; the large drivers are loaded only here. `limit` is how many seconds this
 * process may have an embedded one open at a time. On Postgres, `willLock` opens the session of a lock at the
 * same time, and `signal` ends the sessions. Throws DatabaseError.
 */
export async function openDatabase(
  config: DbConfig,
  limit?: number,
  willLock = false,
  signal?: AbortSignal,
): Promise<Database> {
  if (config.kind === "embedded") {
    const { openEmbedded } = await import("./embedded/database.ts");
    return await openEmbedded(config.path, limit);
  }
  // Node 20 lacks it, and pg then loads all of `fetch` to find out whether this is Cloudflare.
  if (!("navigator" in globalThis))
    Object.assign(globalThis, { navigator: { userAgent: `Node.js/${process.versions.node}` } });
  const { openPostgres } = await import("./postgres/connect.ts");
  return await openPostgres(config, undefined, willLock, signal);
}

/** Whether the database exists, as far as opening it would make it. Throws DatabaseError. */
export function databaseExists(config: DbConfig): boolean {
  return config.kind !== "embedded" || hasDatabase(config.path);
}
