import type { DbLogin } from "../../config/config.ts";

/** Where a Postgres server is, and the schema of the tables. */
export interface PostgresAddress {
  readonly login: DbLogin;
  readonly schema?: string | undefined;
}

/** Host, port and database name, or the socket. */
export function place({ host, port, database }: DbLogin): string {
  if (host.startsWith("/")) return `${host}/.s.PGSQL.${port}, database ${database}`;
  return `${host.includes(":") ? `[${host}]` : host}:${port}/${database}`;
}
