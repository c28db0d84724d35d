import { randomUUID } from "node:crypto";
import { inject } from "vitest";
import type { Database } from "../../src/store/database.ts";
import { openInMemory } from "../../src/store/embedded/database.ts";
import { openPostgres } from "../../src/store/postgres/connect.ts";
import { loginTo } from "./login.ts";

/** Makes an empty database on the real test server; gives its DSN. */
export async function createPostgres(): Promise<string> {
  const server = inject("postgres");
  const name = `t_${randomUUID().replaceAll("-", "")}`;
  const admin = await openPostgres(loginTo(`${server}postgres`));
  try {
    await admin.query(`CREATE DATABASE ${name}`);
  } finally {
    await admin.close();
  }
  return server + name;
}

/** Both kinds of database, each empty: tests of the store run on both. */
export const DATABASES: readonly {
  readonly kind: string;
  readonly open: () => Promise<Database>;
}[] = [
  { kind: "Postgres", open: async () => openPostgres(loginTo(await createPostgres())) },
  { kind: "embedded", open: openInMemory },
];
