import { createHash } from "node:crypto";
import { realpathSync, rmSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { forgetHolder, type Holder, noteHolder, readHolder } from "./holder.ts";

export interface FolderLock {
  release(): Promise<void>;
}

export type LockResult =
  | { readonly held: true; readonly lock: FolderLock }
  | { readonly held: false; readonly holder: Holder };

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
    if (server !== undefined) return { held: true, lock: takenLock(folder, server) };
    const answer = await askHolder(address);
    // On systems without abstract sockets a killed process leaves its file, which nobody answers.
    if (answer === "nobody" && !address.startsWith("\0")) rmSync(address, { force: true });
    else if (performance.now() >= until) {
      const pid = typeof answer === "number" ? answer : undefined;
      return { held: false, holder: readHolder(folder, pid) };
    }
    await sleep(RETRY_EVERY);
  }
}

function takenLock(folder: string, server: Server): FolderLock {
  noteHolder(folder);
  return {
    release: async () => {
      // The next holder's note is not ours to take away.
      if (!server.listening) return;
      forgetHolder(folder);
      await close(server);
    },
  };
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

/** The process id that the holder tells; it is silent while it is stopped or too busy. */
async function askHolder(address: string): Promise<number | "silent" | "nobody"> {
  return await new Promise((resolve) => {
    let answer = "";
    const socket = connect(address);
    socket.setTimeout(500, () => socket.destroy());
    socket.on("data", (chunk) => {
      answer += chunk.toString();
    });
    socket.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ECONNREFUSED") resolve("nobody");
    });
    socket.on("close", () => resolve(/^\d+$/.test(answer) ? Number(answer) : "silent"));
  });
}

async function close(server: Server): Promise<void> {
  await new Promise<void>((resolve) => server.close(() => resolve()));
}
