import { randomUUID } from "node:crypto";
import pg from "pg";
import { inject } from "vitest";
import type { Database } from "../../src/store/database.ts";
import { openInMemory } from "../../src/store/embedded/database.ts";
import { openPostgres } from "../../src/store/postgres/connect.ts";
import { loginTo } from "./login.ts";

/** Makes an empty database on the real test server, with the options of CREATE DATABASE; gives its DSN. */
export async function createPostgres(options = ""): Promise<string> {
  const server = inject("postgres");
  const name = `t_${randomUUID().replaceAll("-", "")}`;
  await asAdmin(`${server}postgres`, `CREATE DATABASE ${name} ${options}`);
  return server + name;
}

/** Runs a statement past the engine, outside any transaction. */
export async function asAdmin(dsn: string, sql: string): Promise<readonly object[]> {
  const admin = new pg.Client({ connectionString: dsn });
  await admin.connect();
  try {
    return (await admin.query<object>(sql)).rows;
  } finally {
    await admin.end();
  }
}

/** Both kinds of database, each empty: tests of the store run on both. */
export const DATABASES: readonly {
  readonly kind: string;
  readonly open: () => Promise<Database>;
}[] = [
  { kind: "Postgres", open: async () => openPostgres(loginTo(await createPostgres())) },
  { kind: "embedded", open: openInMemory },
];
