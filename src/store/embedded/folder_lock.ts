import { randomBytes } from "node:crypto";
import { once } from "node:events";
import {
  closeSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  unlinkSync,
} from "node:fs";
import { connect, createServer } from "node:net";
import { hostname, uptime } from "node:os";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { utcMinute } from "../../text/utc.ts";
import type { Lock, LockAttempt } from "../database.ts";

export interface LockOptions {
  /** Seconds to wait for another holder; 0 if not given. */
  readonly wait?: number;
  /** Seconds that this process may have the lock, for others to read; no limit if not given. */
  readonly limit?: number | undefined;
  /** Called in the holder whenever another process looks at the lock. */
  readonly onRequest?: () => void;
}

/** The lock of the database itself, held whenever it is open: two processes in one folder destroy it. */
export const DATABASE_LOCK = "swf-alarms";

const RETRY_EVERY = 100;
/** Bytes of a path that fit into the address of a socket on every system. */
const MAX_ADDRESS = 103;

/**
 * Takes a named lock of a folder for this process. `swf-alarms tick` is a folder `swf-alarms.tick.lock` in it,
 * with a listening socket whose name says who holds it. The system closes the socket at the moment its process
 * ends, so a socket that nobody answers is stale.
 *
 * A new holder moves a folder with its own socket to that name, which the system does only if nothing is
 * there or the folder there is empty. A stale socket is removed by its own name, which no other socket ever
 * has: so of many processes that find it stale exactly one takes the lock.
 */
export async function lockFolder(
  folder: string,
  name: string,
  { wait = 0, limit = Number.POSITIVE_INFINITY, onRequest }: LockOptions = {},
): Promise<LockAttempt> {
  const path = lockPath(folder, name);
  const started = performance.now();
  for (;;) {
    const holder = await findHolder(path);
    const lock = holder === undefined ? await takeFree(path, limit, onRequest) : undefined;
    if (lock !== undefined) return { held: true, lock, ended: undefined };
    // Where another process was faster, the next look says which.
    const patience = holder === undefined ? Math.max(wait, 1) : wait;
    if (performance.now() - started >= patience * 1000)
      return { held: false, ...describeHolder(holder) };
    await sleep(RETRY_EVERY);
  }
}

/** Whether a process holds the lock. */
export async function isFolderLocked(folder: string, name: string): Promise<boolean> {
  return (await findHolder(lockPath(folder, name))) !== undefined;
}

function lockPath(folder: string, name: string): string {
  return join(folder, `${name.replaceAll(" ", ".")}.lock`);
}

/** The name of the socket that is answered; what nobody answers is removed. */
async function findHolder(path: string): Promise<string | undefined> {
  // By now it may be the folder of a new holder, which this does not remove.
  if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === false)
    attempt(() => unlinkSync(path), ["ENOENT", "EISDIR", "EPERM"]);
  for (const socket of attempt(() => readdirSync(path), ["ENOENT", "ENOTDIR"]) ?? []) {
    if (await isAnswered(join(path, socket))) return socket;
    rmSync(join(path, socket), { recursive: true, force: true });
  }
  return undefined;
}

/** Undefined if another process was faster. */
async function takeFree(
  path: string,
  limit: number,
  onRequest: LockOptions["onRequest"],
): Promise<Lock | undefined> {
  const socket = newSocket(limit);
  const own = `${path}.${socket}`;
  mkdirSync(own, { mode: 0o700 });
  const server = createServer((connection) => {
    connection.destroy();
    onRequest?.();
  });
  server.unref();
  try {
    await atAddress(join(own, socket), (address) => once(server.listen(address), "listening"));
    renameSync(own, path);
  } catch (error) {
    server.close();
    if (!OCCUPIED.includes(codeOf(error))) throw error;
    return undefined;
  } finally {
    rmSync(own, { recursive: true, force: true });
  }
  const release = async (): Promise<void> => {
    // Released before.
    if (!server.listening) return;
    rmSync(join(path, socket), { force: true });
    // Another process may have taken it already, or removed it.
    attempt(() => rmdirSync(path), [...OCCUPIED, "ENOENT"]);
    server.close();
    await once(server, "close");
  };
  return { lost: NEVER, release };
}

/** A process loses no lock of this kind. */
const NEVER = new AbortController().signal;

/** What the system says where a folder cannot be replaced or removed because something is there. */
const OCCUPIED = ["EEXIST", "ENOTEMPTY", "ENOTDIR"];

/** This host in the name of a socket, which must be short. */
const HOST = hostname()
  .replace(/[^\w.-]/g, "_")
  .slice(0, 24);
const SOCKET = /^(\d{1,10})\.(\d{1,10})\.(\d{1,10}|Infinity)\.[0-9a-f]{8}\.(.*)$/;

/** Process, time since the start of the system, limit, a random part, host. */
function newSocket(limit: number): string {
  const since = Math.floor(uptime());
  return [process.pid, since, Math.ceil(limit), randomBytes(4).toString("hex"), HOST].join(".");
}

/** Who holds a lock; if it is overdue, with what to do. */
function describeHolder(socket = "") {
  const [isOurs, pid, since, limit, host] = SOCKET.exec(socket) ?? [];
  if (isOurs === undefined) return { holder: "an unknown process", overdue: false };
  const where = host === HOST ? "" : ` on ${host}`;
  // A process may have a wrong clock; all share the system.
  const age = uptime() - Number(since);
  const holder = `process ${pid}${where} since ${utcMinute(Date.now() / 1000 - age)}`;
  if (age <= Number(limit)) return { holder, overdue: false };
  // A stopped process reacts to no other signal.
  return { holder: `${holder}, longer than it may take; end it: kill -9 ${pid}`, overdue: true };
}

/** What the system says where no process listens. */
const UNANSWERED = /^(ECONNREFUSED|ENOENT|ENOTDIR|ENOTSOCK|EPROTOTYPE|ELOOP|EINVAL|ENAMETOOLONG)$/;

async function isAnswered(path: string): Promise<boolean> {
  try {
    await atAddress(path, async (address) => {
      const connection = connect(address);
      await once(connection, "connect");
      connection.destroy();
    });
  } catch (error) {
    if (UNANSWERED.test(codeOf(error))) return false;
    // Its process ended or released it just now.
    if (codeOf(error) === "ECONNRESET") return await isAnswered(path);
    // The queue of a holder that is stopped is full after a while.
    if (codeOf(error) !== "EAGAIN") throw error;
  }
  return true;
}

/** Calls `use` with an address of the socket, which must be short; only Linux has one for every path. */
async function atAddress(path: string, use: (address: string) => Promise<unknown>): Promise<void> {
  const isLinux = process.platform === "linux";
  if (!isLinux && Buffer.byteLength(path) > MAX_ADDRESS)
    throw new Error(`${path} is too long for the name of a socket: set [db] path to a shorter one`);
  const folder = openSync(dirname(path), "r");
  try {
    await use(isLinux ? `/proc/self/fd/${folder}/${basename(path)}` : path);
  } finally {
    closeSync(folder);
  }
}

/** Returns undefined where it fails for one of these reasons. */
function attempt<T>(action: () => T, expected: readonly string[]): T | undefined {
  try {
    return action();
  } catch (error) {
    if (expected.includes(codeOf(error))) return undefined;
    throw error;
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
