import { spawn, spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { inject, onTestFinished } from "vitest";
import { freePort } from "./free_port.ts";

/** Whether Debian's pgbouncer is installed. */
export const HAS_PGBOUNCER = spawnSync("pgbouncer", ["--version"]).status === 0;

/** A real PgBouncer in transaction mode before the test server. Returns the DSN of the database through it. */
export async function startPgbouncer(dsn: string, poolSize = 20): Promise<string> {
  const server = new URL(inject("postgres"));
  const folder = mkdtempSync(join(tmpdir(), "swf-alarms-pgbouncer-"));
  chmodSync(folder, 0o755);
  const port = await freePort();
  const file = join(folder, "pgbouncer.ini");
  const login = `user=${server.username} password=${server.password}`;
  const settings = [
    "[databases]",
    `* = host=${server.hostname} port=${server.port} ${login}`,
    "[pgbouncer]",
    "listen_addr = 127.0.0.1",
    `listen_port = ${port}`,
    "unix_socket_dir =",
    "auth_type = any",
    "pool_mode = transaction",
    `default_pool_size = ${poolSize}`,
  ];
  writeFileSync(file, `${settings.join("\n")}\n`);
  // It refuses to run as root.
  const other = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
  const child = spawn("pgbouncer", [file], { stdio: "ignore", ...other });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await ended;
    rmSync(folder, { recursive: true });
  });
  while (!(await accepts(port))) {
    if (child.exitCode !== null) throw new Error(`pgbouncer ended with ${child.exitCode}`);
    await sleep(20);
  }
  return `postgresql://any@127.0.0.1:${port}${new URL(dsn).pathname}`;
}

async function accepts(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
