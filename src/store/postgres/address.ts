import type { DbLogin } from "../../config/config.ts";

/** Where a Postgres is: one of the two. */
export interface PostgresAddress {
  readonly dsn?: string;
  readonly login?: DbLogin;
}

/**
 * `sslmode` as libpq (and so the Python engine) means it, as DSNs to try in turn. The driver alone would
 * take `require` for full verification, with a warning at every start, and never fall back.
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
  if (!URL.canParse(dsn)) return "the configured dsn, which is no URL";
  const url = new URL(dsn);
  return `${url.hostname || "localhost"}:${url.port || "5432"}${url.pathname}`;
}
