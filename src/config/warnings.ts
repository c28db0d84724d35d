import { statSync } from "node:fs";
import { readableByAll } from "../core/rights.ts";
import type { Config } from "./config.ts";
import { quoted } from "./permissions.ts";
import { dsnSecrets, headerSecrets } from "./secrets.ts";

/**
 * What is not refused but worth saying: a file with a secret in it that everybody on the machine can
 * read. One line each.
 */
export function configWarnings(config: Config, path: string): readonly string[] {
  const warnings: string[] = [];
  const headers = Object.values(config.sources).flatMap((source) => headerSecrets(source.headers));
  const dsn = config.db.kind === "dsn" ? dsnSecrets(config.db.dsn) : [];
  if ((headers.length > 0 || dsn.length > 0) && isOpen(path)) {
    const what = dsn.length > 0 ? "a database password" : "request headers";
    warnings.push(openFile(`the configuration ${quoted(path)} holds ${what}`, path));
  }
  const { db } = config;
  if (db.kind === "env file" && db.login.password !== undefined && isOpen(db.path))
    warnings.push(openFile(`${quoted(db.path)} holds a database password`, db.path));
  return warnings;
}

function openFile(what: string, path: string): string {
  return `${what} and everybody on this machine can read it; as its owner run: chmod o-r ${quoted(path)}`;
}

function isOpen(path: string): boolean {
  const rights = statSync(path, { throwIfNoEntry: false });
  return process.platform !== "win32" && rights !== undefined && readableByAll(rights);
}
