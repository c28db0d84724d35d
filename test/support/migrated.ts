import type { Database } from "../../src/store/database.ts";
import { migrate } from "../../src/store/migrate.ts";
import { openPostgres } from "../../src/store/postgres/connect.ts";
import { loginTo } from "./login.ts";

/** Brings the database of a DSN up to date and does one piece of work on it. */
export async function migrated<T>(dsn: string, work: (db: Database) => Promise<T>): Promise<T> {
  const db = await openPostgres(loginTo(dsn));
  try {
    await migrate(db);
    return await work(db);
  } finally {
    await db.close();
  }
}
