import { existsSync } from "node:fs";
import { join } from "node:path";
import type { DbConfig } from "../config/config.ts";
import type { Database } from "./database.ts";

/**
 * Opens the configured database; the heavy drivers are loaded only here. A process that has the embedded
 * one for more than `staleAfter` seconds is said to hang. `willLock` says that a lock will
 * be taken, for which a server wants a session of its own. Throws DatabaseError.
 */
export async function openDatabase(
  config: DbConfig,
  staleAfter?: number,
  willLock = false,
): Promise<Database> {
  if (config.kind === "embedded") {
    const { openEmbedded } = await import("./embedded/database.ts");
    return await openEmbedded(config.path, staleAfter);
  }
  // As Node 21 and later have it: without it pg asks Node 20's `Response` whether this is Cloudflare, and
  // that loads all of its fetch, which doubles what the driver costs.
  if (!("navigator" in globalThis))
    Object.assign(globalThis, { navigator: { userAgent: `Node.js/${process.versions.node}` } });
  const { openPostgres } = await import("./postgres/connect.ts");
  const address = config.kind === "dsn" ? { dsn: config.dsn } : { login: config.login };
  return await openPostgres(address, undefined, willLock);
}

/** Whether the embedded database has been made; opening it would make it. */
export function embeddedExists(config: DbConfig): boolean {
  return config.kind !== "embedded" || existsSync(join(config.path, "PG_VERSION"));
}
