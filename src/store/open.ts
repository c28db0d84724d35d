import { existsSync } from "node:fs";
import { join } from "node:path";
import type { DbConfig } from "../config/config.ts";
import type { Database } from "./database.ts";

/**
 * Opens the configured database; the large drivers are loaded only here. A process that has held the embedded
 * database for more than `staleAfter` seconds is reported as hanging. `willLock` opens the session of a lock
 * at the same time; `signal` ends the sessions. Throws DatabaseError.
 */
export async function openDatabase(
  config: DbConfig,
  staleAfter?: number,
  willLock = false,
  signal?: AbortSignal,
): Promise<Database> {
  if (config.kind === "embedded") {
    const { openEmbedded } = await import("./embedded/database.ts");
    return await openEmbedded(config.path, staleAfter);
  }
  // Node 20 lacks it, and pg then loads all of `fetch` to find out whether this is Cloudflare.
  if (!("navigator" in globalThis))
    Object.assign(globalThis, { navigator: { userAgent: `Node.js/${process.versions.node}` } });
  const { openPostgres } = await import("./postgres/connect.ts");
  const address = config.kind === "dsn" ? { dsn: config.dsn } : { login: config.login };
  return await openPostgres(address, undefined, willLock, signal);
}

/** Whether the embedded database exists; opening it would create it. */
export function embeddedExists(config: DbConfig): boolean {
  return config.kind !== "embedded" || existsSync(join(config.path, "PG_VERSION"));
}
