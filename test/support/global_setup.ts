import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import type { TestProject } from "vitest/node";
import { buildParts } from "./built_parts.ts";
import { migrated } from "./migrated.ts";
import { startPostgres } from "./own_postgres.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** A DSN of the test server without the database name: append one. */
    postgres: string;
    /** Name of a database there that is migrated and empty: a template for others. */
    migrated: string;
    /** A folder that all test files share, until the end of the run. */
    shared: string;
  }
}

/**
 * One real Postgres for all test files; each test makes databases of its own on it. To test another
 * version, name a running server: SWF_ALARMS_TEST_POSTGRES=postgresql://user:password@host:port/
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  await buildParts();
  const given = process.env.SWF_ALARMS_TEST_POSTGRES;
  const server = given === undefined ? await startPostgres(FLAGS) : undefined;
  const url = given ?? server?.url ?? "";
  const shared = mkdtempSync(join(tmpdir(), "swf-alarms-tests-"));
  project.provide("postgres", url);
  project.provide("migrated", await makeMigrated(url));
  project.provide("shared", shared);
  return async () => {
    rmSync(shared, { recursive: true, force: true });
    await server?.close();
  };
}

const FLAGS = ["-c", "fsync=off", "-c", "max_connections=200"];

/** Copying a migrated database takes less time than migrating one. */
async function makeMigrated(url: string): Promise<string> {
  const name = `t_${randomUUID().replaceAll("-", "")}`;
  const admin = new pg.Client({ connectionString: `${url}postgres` });
  await admin.connect();
  await admin.query(`CREATE DATABASE ${name}`);
  await admin.end();
  await migrated(url + name, async () => {});
  return name;
}
