import type { DbLogin } from "../../config/config.ts";

/** Where a Postgres server is, as one of the first two, and the tables in it. */
export interface PostgresAddress {
  readonly dsn?: string;
  readonly login?: DbLogin;
  readonly schema?: string | undefined;
}

/**
 * DSNs to try in turn, so that `sslmode` means what it means to libpq (and the Python engine). The driver
 * alone would verify fully with `require`, print a warning at every start, and never fall back.
 */
export function libpqDsns(dsn: string): readonly string[] {
  const mode = /[?&]sslmode=([a-z-]+)/.exec(dsn)?.[1];
  if (mode === undefined || /[?&]uselibpqcompat=/.test(dsn)) return [dsn];
  const as = (other: string): string =>
    `${dsn.replace(/([?&]sslmode=)[a-z-]+/, `$1${other}`)}&uselibpqcompat=true`;
  if (mode === "prefer") return [as("require"), as("disable")];
  if (mode === "allow") return [as("disable"), as("require")];
  return [as(mode)];
}

/** Host, port and database name: never the user's password. */
export function place({ dsn, login }: PostgresAddress): string {
  if (dsn === undefined) {
    return `${login?.host ?? "localhost"}:${login?.port ?? 5432}/${login?.database ?? ""}`;
  }
  if (!URL.canParse(dsn)) return "the configured dsn, which is not a URL";
  const url = new URL(dsn);
  return `${url.hostname || "localhost"}:${url.port || "5432"}${url.pathname}`;
}
