import { parseEnv } from "node:util";
import { quote } from "../text/describe.ts";
import type { DbLogin } from "./config.ts";

/** The two families of names that the Django sites use, in the order of preference. */
const PREFIXES = ["SWF_REMOTE_DB_", "DB_"];

/**
 * The database login in a dotenv text, or what is wrong with it; no message holds the password. `text` is
 * undefined where the file could not be read.
 */
export function parseDbLogin(text: string | undefined, path: string): DbLogin | string {
  if (text === undefined)
    return `cannot read ${path}; check the path and that the engine's user may read it`;
  const values = parseEnv(text);
  const prefix = PREFIXES.find((candidate) => values[`${candidate}NAME`] !== undefined);
  if (prefix === undefined)
    return `${path} has neither SWF_REMOTE_DB_NAME nor DB_NAME; name the file that holds the database login`;
  const part = (name: string): string | undefined => values[prefix + name] || undefined;
  const port = part("PORT");
  if (port !== undefined && !(/^\d{1,5}$/.test(port) && Number(port) > 0 && Number(port) < 65_536))
    return `${path}: ${prefix}PORT must be a port number, found ${quote(port)}`;
  return {
    host: part("HOST"),
    port: port === undefined ? undefined : Number(port),
    database: part("NAME"),
    user: part("USER"),
    password: part("PASSWORD"),
  };
}
