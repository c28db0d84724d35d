import { showName } from "../text/describe.ts";
import type { Parameter } from "./login_files.ts";

/** What has a meaning in a URL must be encoded, so that no part of a password is taken for something else. */
const DSN =
  /^\w+:\/\/(?:([^\s:/?#@[\]]*)(?::([^\s/?#@[\]]*))?@)?(?:\[([^\s/?#@[\]]*)\]|([^\s:/?#@[\]]*))(?::([^\s/?#@[\]]*))?(?:\/([^\s/?#@[\]]*))?(?:\?([^\s#@]*))?$/;

/** The parameters in a connection string, as libpq reads it; no fault quotes a value. */
export function parseDsn(dsn: string, faults: string[]): readonly Parameter[] | undefined {
  const [, user, password, address, name, port, dbname, query = ""] = DSN.exec(dsn) ?? [];
  const authority = Object.entries({ user, password, host: address ?? name, port, dbname });
  const others = query === "" ? [] : query.split("&").map((pair) => pair.split("="));
  try {
    if (!DSN.test(dsn) || others.some(({ length }) => length !== 2)) throw new URIError();
    const pairs = [...authority.filter(([, value]) => value), ...others].map((pair) =>
      pair.map((text = "") => decodeURIComponent(text)),
    );
    const names = pairs.map(([key = ""]) => key);
    // Behind an & in a password, what looks like a name may be a part of it.
    const at = (key: string): string =>
      `db.dsn: ${/pass|pwd/i.test(query) ? "a parameter" : showName(key)}`;
    const twice = names.find((key, index) => names.indexOf(key) < index);
    if (twice !== undefined) faults.push(`${at(twice)}: given twice`);
    return pairs.map(([key = "", value = ""]) => [key, value, at(key)]);
  } catch {
    faults.push(
      'db.dsn: must be a URL such as "postgresql://user:password@host:5432/name"; the value is not shown. Special characters of a password are written in percent encoding (@ as %40, / as %2F, % as %25). It can also be in $PGPASSWORD, in ~/.pgpass or in the file of env_path',
    );
    return undefined;
  }
}
