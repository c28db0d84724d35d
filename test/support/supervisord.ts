import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Whether this machine has one; prints that the tests are skipped where it has none. */
export function hasSupervisord(): boolean {
  const has = spawnSync("supervisord", ["--version"]).status === 0;
  if (!has) console.log("skipped: no supervisord is installed (apt-get install supervisor)");
  return has;
}

export interface Supervisord {
  readonly folder: string;
  /** What it has logged. */
  log(): string;
  ctl(...args: readonly string[]): string;
  stop(): Promise<void>;
}

/** Starts a supervisord in a folder of its own; `sections` are its programs, where FOLDER is that folder. */
export async function startSupervisord(
  sections: (folder: string) => string,
  env: { readonly [name: string]: string } = {},
): Promise<Supervisord> {
  const folder = mkdtempSync(join(tmpdir(), "swf-alarms-supervisord-"));
  const config = join(folder, "supervisord.conf");
  writeFileSync(
    config,
    `[supervisord]
nodaemon=true
identifier=test-daq
logfile=${folder}/supervisord.log
loglevel=info
pidfile=${folder}/supervisord.pid
childlogdir=${folder}
[unix_http_server]
file=${folder}/control.sock
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://${folder}/control.sock
${sections(folder)}`,
  );
  const child: ChildProcess = spawn("supervisord", ["-c", config], {
    stdio: "ignore",
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
  });
  return {
    folder,
    log: () => readFileSync(join(folder, "supervisord.log"), "utf8"),
    ctl: (...args) =>
      spawnSync("supervisorctl", ["-c", config, ...args], { encoding: "utf8" }).stdout,
    stop: async () => {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill("SIGTERM");
        await once(child, "close");
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
