import { attempt } from "../text/attempt.ts";
import { showName } from "../text/describe.ts";
import type { Parameter } from "./login_files.ts";

const FAULT =
  'db.dsn: must be a URL such as "postgresql://user:password@host:5432/name"; the value is not shown. Special characters of a password are written in percent encoding (@ as %40, / as %2F, % as %25), = in a value as %3D, a blank as %20. It can also be in $PGPASSWORD, in ~/.pgpass or in the file of env_path';

/** The parameters in a connection string, as libpq reads it; no fault quotes a value. */
export function parseDsn(dsn: string, faults: string[]): readonly Parameter[] | undefined {
  const encoded = splitDsn(dsn);
  const pairs = attempt(
    () => encoded?.map((pair) => pair.map((text) => decodeURIComponent(text))),
    undefined,
  );
  if (pairs === undefined) {
    faults.push(FAULT);
    return undefined;
  }
  // Behind an & in a password, what looks like a name may be a part of it.
  const hidesNames = /\?.*(pass|pwd)/i.test(dsn);
  const at = (name: string): string => `db.dsn: ${hidesNames ? "a parameter" : showName(name)}`;
  const names = pairs.map(([name = ""]) => name);
  const twice = names.find((name, index) => names.indexOf(name) < index);
  if (twice !== undefined) faults.push(`${at(twice)}: given twice`);
  return pairs.map(([name = "", value = ""]) => [name, value, at(name)]);
}

/**
 * The names and values as they are encoded; undefined for another form. What has a meaning in a URL must be
 * encoded, so that no part of a password is taken for something else.
 */
function splitDsn(dsn: string): readonly (readonly string[])[] | undefined {
  const parts = /^\w+:\/\/([^/?]*)(?:\/([^/?]*))?(?:\?(.*))?$/.exec(dsn);
  if (parts === null || /[\s#]/.test(dsn)) return undefined;
  const [, authority = "", dbname = "", query = ""] = parts;
  const [address = "", login = "", ...more] = authority.split("@").reverse();
  if (more.length > 0 || dbname.includes("@") || query.includes("@")) return undefined;

  const server = /^(?:\[([^[\]]*)\]|([^:[\]]*))(?::(.*))?$/.exec(address);
  if (server === null) return undefined;
  const [, bracketed, name = "", port = ""] = server;
  const [user = "", ...password] = login.split(":");
  const named = Object.entries({
    user,
    password: password.join(":"),
    host: bracketed ?? name,
    port,
    dbname,
  });
  const others = query === "" ? [] : query.split("&").map((pair) => pair.split("="));
  if (others.some(({ length }) => length !== 2)) return undefined;
  return [...named.filter(([, value]) => value !== ""), ...others];
}
