import { createHash } from "node:crypto";
import { readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { integer, maxValue, minValue, number, object, pipe, safeParse } from "valibot";

export interface FolderLock {
  release(): Promise<void>;
}

/** The process that holds the folder of an embedded database. */
export interface Holder {
  readonly pid: number;
  /** Epoch seconds. */
  readonly since: number;
}

export type LockResult =
  | { readonly held: true; readonly lock: FolderLock }
  /** `holder` is undefined if it left no note, for example on a full disk. */
  | { readonly held: false; readonly holder: Holder | undefined };

/** Where the holder notes who it is. */
export const HOLDER_FILE = "swf-alarms.holder";

const RETRY_EVERY = 100;

/**
 * Takes a folder for this process alone, waiting up to `seconds`. The lock is a listening socket, which the
 * system closes at the moment its process ends, however it ends: a lock is never stale.
 */
export async function lockFolder(folder: string, seconds: number): Promise<LockResult> {
  const address = socketAddress(realpathSync(folder));
  const until = performance.now() + seconds * 1000;
  for (;;) {
    const server = await listen(address);
    if (server !== undefined) {
      noteHolder(folder);
      return { held: true, lock: { release: () => release(folder, server) } };
    }
    // Outside Linux a killed process leaves its socket file.
    if (!address.startsWith("\0") && !(await isListening(address)))
      rmSync(address, { force: true });
    else if (performance.now() >= until) return { held: false, holder: readHolder(folder) };
    await sleep(RETRY_EVERY);
  }
}

async function release(folder: string, server: Server): Promise<void> {
  // Released before: the note is then the next holder's.
  if (!server.listening) return;
  rmSync(join(folder, HOLDER_FILE), { force: true });
  await new Promise<void>((resolve) => server.close(() => resolve()));
}

/** Linux has socket names outside the file system; elsewhere the socket is a file in the folder. */
function socketAddress(folder: string): string {
  if (process.platform !== "linux") return join(folder, "swf-alarms.lock");
  return `\0swf-alarms/${createHash("sha256").update(folder).digest("hex").slice(0, 40)}`;
}

/** Undefined if another process listens there. */
async function listen(address: string): Promise<Server | undefined> {
  const server = createServer((socket) => socket.destroy());
  server.unref();
  return await new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE") resolve(undefined);
      else reject(error);
    });
    server.listen(address, () => resolve(server));
  });
}

async function isListening(address: string): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect(address, () => resolve(true));
    socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code !== "ECONNREFUSED"));
    socket.on("connect", () => socket.destroy());
  });
}

/** Best effort: the lock is held without a note too. */
function noteHolder(folder: string): void {
  const file = join(folder, HOLDER_FILE);
  const holder: Holder = { pid: process.pid, since: Date.now() / 1000 };
  try {
    // The note of a killed holder must not stay, even on a full disk; nor is a link followed.
    rmSync(file, { force: true });
    writeFileSync(file, `${JSON.stringify(holder)}\n`, { mode: 0o600, flag: "wx" });
  } catch {}
}

const HolderNote = object({
  pid: pipe(number(), integer(), minValue(1)),
  since: pipe(number(), minValue(0), maxValue(1e11)),
});

function readHolder(folder: string): Holder | undefined {
  try {
    const text = readFileSync(join(folder, HOLDER_FILE), "utf8");
    const { success, output } = safeParse(HolderNote, JSON.parse(text));
    return success ? output : undefined;
  } catch {
    return undefined;
  }
}
