import type { TestProject } from "vitest/node";
import { buildParts } from "./built_parts.ts";
import { startPostgres } from "./own_postgres.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** A DSN of the test server without the database name: append one. */
    postgres: string;
  }
}

/**
 * One real Postgres for all test files; each test makes databases of its own on it. To test another
 * version, name a running server: SWF_ALARMS_TEST_POSTGRES=postgresql://user:password@host:port/
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  await buildParts();
  const given = process.env.SWF_ALARMS_TEST_POSTGRES;
  if (given !== undefined) {
    project.provide("postgres", given);
    return async () => {};
  }
  const server = await startPostgres(["-c", "fsync=off", "-c", "max_connections=200"]);
  project.provide("postgres", server.url);
  return server.close;
}
