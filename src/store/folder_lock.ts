import { createHash } from "node:crypto";
import { realpathSync, rmSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

export interface FolderLock {
  release(): Promise<void>;
}

export type LockResult =
  | { readonly held: true; readonly lock: FolderLock }
  | { readonly held: false; readonly holder: string };

const RETRY_EVERY = 100;

/**
 * Takes a folder for this process alone, waiting up to `patience` seconds. The lock is a listening
 * socket: the system lets go of it at the very moment its process ends, however it ends, so there is
 * nothing stale to judge and nobody to race for it.
 */
export async function lockFolder(folder: string, patience: number): Promise<LockResult> {
  const address = socketAddress(realpathSync(folder));
  const until = performance.now() + patience * 1000;
  for (;;) {
    const server = await listen(address);
    if (server !== undefined) return { held: true, lock: { release: () => close(server) } };
    const holder = await askHolder(address);
    // On systems without abstract sockets a killed process leaves its file, which nobody answers.
    if (holder === undefined && !address.startsWith("\0")) rmSync(address, { force: true });
    else if (performance.now() >= until) return { held: false, holder: holder ?? "unknown" };
    await sleep(RETRY_EVERY);
  }
}

/** Linux has socket names outside the file system; elsewhere the socket is a file in the folder. */
function socketAddress(folder: string): string {
  if (process.platform !== "linux") return join(folder, "swf-alarms.lock");
  return `\0swf-alarms/${createHash("sha256").update(folder).digest("hex").slice(0, 40)}`;
}

async function listen(address: string): Promise<Server | undefined> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.end(String(process.pid));
  });
  server.unref();
  return await new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE") resolve(undefined);
      else reject(error);
    });
    server.listen(address, () => resolve(server));
  });
}

/** The process id that the holder tells, or undefined where nobody answers. */
async function askHolder(address: string): Promise<string | undefined> {
  return await new Promise((resolve) => {
    let answer = "";
    const socket = connect(address);
    socket.setTimeout(500, () => socket.destroy());
    socket.on("data", (chunk) => {
      answer += chunk.toString();
    });
    socket.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ECONNREFUSED") resolve(undefined);
    });
    socket.on("close", () => resolve(/^\d+$/.test(answer) ? answer : "unknown"));
  });
}

async function close(server: Server): Promise<void> {
  await new Promise<void>((resolve) => server.close(() => resolve()));
}
