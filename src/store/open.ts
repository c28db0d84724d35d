import type { DbConfig } from "../config/config.ts";
import type { Database } from "./database.ts";
import type { EmbeddedOptions } from "./embedded/database.ts";
import { hasDatabase } from "./embedded/folder.ts";

export interface OpenOptions extends EmbeddedOptions {
  /** Opens the session of a lock at the same time. */
  readonly willLock?: boolean;
}

/** Opens the configured database; the large drivers are loaded only here. Throws DatabaseError. */
export async function openDatabase(
  config: DbConfig,
  { willLock = false, ...options }: OpenOptions = {},
): Promise<Database> {
  if (config.kind === "embedded") {
    const { openEmbedded } = await import("./embedded/database.ts");
    return await openEmbedded(config.path, options);
  }
  // Node 20 lacks it, and pg then loads all of `fetch` to find out whether this is Cloudflare.
  if (!("navigator" in globalThis))
    Object.assign(globalThis, { navigator: { userAgent: `Node.js/${process.versions.node}` } });
  const { openPostgres } = await import("./postgres/connect.ts");
  const address = config.kind === "dsn" ? { dsn: config.dsn } : { login: config.login };
  return await openPostgres(address, undefined, willLock);
}

/** Whether the database exists, as far as opening it would make it. Throws DatabaseError. */
export function databaseExists(config: DbConfig): boolean {
  return config.kind !== "embedded" || hasDatabase(config.path);
}
