import { statSync } from "node:fs";
import { readableByAll, shellWord } from "../core/rights.ts";
import type { Config } from "./config.ts";
import { headerSecrets } from "./secrets.ts";

/** Files with a secret that every user of the machine can read, one line each. */
export function configWarnings({ db, sources }: Config, path: string): readonly string[] {
  const headers = Object.values(sources).flatMap((source) => headerSecrets(source.headers));
  const password = db.kind === "server" && db.hasPassword ? (db.envPath ?? path) : undefined;
  return [
    ...(password === undefined ? [] : readable(password, "a database password")),
    ...(headers.length > 0 && password !== path ? readable(path, "request headers") : []),
  ];
}

function readable(path: string, secret: string): readonly string[] {
  const rights = statSync(path, { throwIfNoEntry: false });
  if (rights === undefined || !readableByAll(rights)) return [];
  return [
    `${shellWord(path)} holds ${secret} and every user on this machine can read it; as the owner run: chmod o-r ${shellWord(path)}`,
  ];
}
