import { parseEnv } from "node:util";
import { quote } from "../text/describe.ts";
import type { DbLogin } from "./config.ts";

/** The two families of names that the Django sites use, in the order of preference. */
const PREFIXES = ["SWF_REMOTE_DB_", "DB_"];

/**
 * The database login in a dotenv text. The password's value never enters a message.
 * `text` is undefined where the file could not be read.
 */
export function parseDbLogin(
  text: string | undefined,
  path: string,
): { login: DbLogin; fault?: string } {
  if (text === undefined)
    return {
      login: {},
      fault: `cannot read ${path}; check the path and that the engine's user may read it`,
    };
  const values = parseEnv(text);
  const prefix = PREFIXES.find((candidate) => values[`${candidate}NAME`] !== undefined);
  if (prefix === undefined) {
    return {
      login: {},
      fault: `${path} has neither SWF_REMOTE_DB_NAME nor DB_NAME; name the file that holds the database login`,
    };
  }
  const value = (part: string): string | undefined => values[prefix + part] || undefined;
  const port = value("PORT");
  if (
    port !== undefined &&
    !(/^\d{1,5}$/.test(port) && Number(port) > 0 && Number(port) < 65_536)
  ) {
    return {
      login: {},
      fault: `${path}: ${prefix}PORT must be a port number, found ${quote(port)}`,
    };
  }
  const [host, database, user, password] = ["HOST", "NAME", "USER", "PASSWORD"].map(value);
  return {
    login: {
      ...(host === undefined ? {} : { host }),
      ...(port === undefined ? {} : { port: Number(port) }),
      ...(database === undefined ? {} : { database }),
      ...(user === undefined ? {} : { user }),
      ...(password === undefined ? {} : { password }),
    },
  };
}
