import { channelFaults } from "../../src/channel/registry.ts";
import type { DbConfig, Surroundings } from "../../src/config/config.ts";
import { parseDb } from "../../src/config/db.ts";
import { sourceFaults } from "../../src/source/registry.ts";

/** A system on which nothing is set up. */
export const BARE: Surroundings = {
  folder: "/etc/swf",
  alarmFolders: [],
  env: {},
  system: { username: "me", homedir: "/home/me", sockets: "/var/run/postgresql" },
  readText: () => "",
  findText: () => undefined,
  channelFaults,
  sourceFaults,
};

/** Where the server of a connection string is, as `openPostgres` takes it; nothing but the string counts. */
export function loginTo(dsn: string): Extract<DbConfig, { readonly kind: "server" }> {
  const faults: string[] = [];
  const db = parseDb({ dsn }, BARE, faults);
  if (db?.kind !== "server" || faults.length > 0) throw new Error(faults.join("\n"));
  return db;
}
