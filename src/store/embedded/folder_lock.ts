import { randomBytes } from "node:crypto";
import {
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  unlinkSync,
} from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { DatabaseError } from "../database.ts";

export interface FolderLock {
  release(): Promise<void>;
}

/** The process that holds a lock. */
export interface Holder {
  readonly pid: number;
  readonly host: string;
  /** Epoch seconds. */
  readonly since: number;
  /** Seconds that it may have the lock; undefined means no limit. */
  readonly limit: number | undefined;
}

export type LockResult =
  | { readonly held: true; readonly lock: FolderLock }
  /** `holder` is undefined if it cannot be told. */
  | { readonly held: false; readonly holder: Holder | undefined };

export interface LockOptions {
  /** Seconds to wait for another holder; 0 if not given. */
  readonly wait?: number;
  /** Seconds that this process may have the lock, for others to read. */
  readonly limit?: number | undefined;
  /** Called in the holder whenever another process tries to take the lock. */
  readonly onRequest?: () => void;
  /** Called once when this process has waited for a second. */
  readonly onWait?: (holder: Holder | undefined) => void;
}

/** The lock of the database itself, held whenever it is open: two processes in one folder destroy it. */
export const DATABASE_LOCK = "swf-alarms";

const RETRY_EVERY = 100;
const LONG_WAIT = 1_000;
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
  { wait = 0, limit, onRequest, onWait }: LockOptions = {},
): Promise<LockResult> {
  const file = fileOf(name);
  const started = performance.now();
  let isLong = false;
  for (;;) {
    const socket = await findHolder(folder, file);
    if (socket === undefined) {
      const lock = await takeFree(folder, file, newName(limit), onRequest);
      if (lock !== undefined) return { held: true, lock };
    }
    const waited = performance.now() - started;
    // Who was faster is known at the next look.
    const patience = socket === undefined ? Math.max(wait, 1) : wait;
    if (waited >= patience * 1000) return { held: false, holder: parseName(socket) };
    if (!isLong && waited >= LONG_WAIT) {
      isLong = true;
      onWait?.(parseName(socket));
    }
    await sleep(RETRY_EVERY);
  }
}

/** Whether a process holds the lock. */
export async function isFolderLocked(folder: string, name: string): Promise<boolean> {
  return (await findHolder(folder, fileOf(name))) !== undefined;
}

function fileOf(name: string): string {
  return `${name.replaceAll(" ", ".")}.lock`;
}

/** The name of the socket that is answered; sockets of dead processes are removed. */
async function findHolder(folder: string, file: string): Promise<string | undefined> {
  const path = join(folder, file);
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return undefined;
  if (!found.isDirectory()) {
    if (await isAnswered(folder, file)) return file;
    // By now it may be the folder of a new holder, which this does not remove.
    attempt(() => unlinkSync(path), ["ENOENT", "EISDIR", "EPERM"]);
    return undefined;
  }
  for (const socket of attempt(() => readdirSync(path), ["ENOENT", "ENOTDIR"]) ?? []) {
    if (await isAnswered(path, socket)) return socket;
    rmSync(join(path, socket), { recursive: true, force: true });
  }
  return undefined;
}

/** Undefined if another process was faster. */
async function takeFree(
  folder: string,
  file: string,
  socket: string,
  onRequest: LockOptions["onRequest"],
): Promise<FolderLock | undefined> {
  const path = join(folder, file);
  const own = `${path}.${socket}`;
  mkdirSync(own, { mode: 0o700 });
  let server: Server | undefined;
  try {
    server = await listen(own, socket, onRequest);
    renameSync(own, path);
  } catch (error) {
    server?.close();
    // Another process may have removed the empty folder as a leftover.
    if (existsSync(own) && !OCCUPIED.includes(codeOf(error))) throw error;
    return undefined;
  } finally {
    rmSync(own, { recursive: true, force: true });
  }
  const listening = server;
  await removeLeftovers(folder, file).catch(() => {});
  return { release: () => release(path, socket, listening) };
}

async function release(path: string, socket: string, server: Server): Promise<void> {
  // Released before.
  if (!server.listening) return;
  try {
    rmSync(join(path, socket), { force: true });
    attempt(() => rmdirSync(path), [...OCCUPIED, "ENOENT"]);
  } finally {
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }
}

/** Removes what processes left that were killed while they took the lock. */
async function removeLeftovers(folder: string, file: string): Promise<void> {
  for (const other of readdirSync(folder)) {
    const isOwn = other.startsWith(`${file}.`) && NAME.test(other.slice(file.length + 1));
    if (isOwn && (await findHolder(folder, other)) === undefined)
      attempt(() => rmdirSync(join(folder, other)), [...OCCUPIED, "ENOENT"]);
  }
}

/** What the system says where a folder cannot be replaced or removed because something is there. */
const OCCUPIED = ["EEXIST", "ENOTEMPTY", "ENOTDIR"];

const NAME = /^(\d{1,10})-(\d{1,10})-(\d{0,10})-[0-9a-f]+-(.*)$/;

function newName(limit: number | undefined): string {
  const since = Math.floor(Date.now() / 1000);
  const random = randomBytes(4).toString("hex");
  return `${process.pid}-${since}-${limit === undefined ? "" : Math.ceil(limit)}-${random}-${thisHost()}`;
}

function parseName(socket = ""): Holder | undefined {
  const [whole, pid, since, limit, host = ""] = NAME.exec(socket) ?? [];
  if (whole === undefined) return undefined;
  return {
    pid: Number(pid),
    host,
    since: Number(since),
    limit: limit === "" ? undefined : Number(limit),
  };
}

/** The name of this host as a holder has it: short enough for the address of a socket. */
export function thisHost(): string {
  return hostname()
    .replace(/[^\w.-]/g, "_")
    .slice(0, 24);
}

async function listen(
  folder: string,
  socket: string,
  onRequest: LockOptions["onRequest"],
): Promise<Server> {
  const server = createServer((connection) => {
    connection.destroy();
    onRequest?.();
  });
  server.unref();
  await atAddress(
    folder,
    socket,
    (address) =>
      new Promise<void>((resolve, reject) => {
        server.on("error", reject);
        server.listen(address, resolve);
      }),
  );
  return server;
}

/** What the system says where no process listens. */
const UNANSWERED = [
  "ECONNREFUSED",
  "ENOENT",
  "ENOTDIR",
  "ENOTSOCK",
  "EPROTOTYPE",
  "ELOOP",
  "EINVAL",
  "ENAMETOOLONG",
];

async function isAnswered(folder: string, socket: string): Promise<boolean> {
  try {
    await atAddress(
      folder,
      socket,
      (address) =>
        new Promise<void>((resolve, reject) => {
          const connection = connect(address);
          connection.on("connect", () => {
            connection.destroy();
            resolve();
          });
          connection.on("error", reject);
        }),
    );
    return true;
  } catch (error) {
    // The queue of a holder that is stopped is full after a while.
    if (codeOf(error) === "EAGAIN") return true;
    if (UNANSWERED.includes(codeOf(error))) return false;
    throw error;
  }
}

/** Calls `use` with an address of the socket that is short enough. */
async function atAddress(
  folder: string,
  socket: string,
  use: (address: string) => Promise<void>,
): Promise<void> {
  const path = join(folder, socket);
  if (Buffer.byteLength(path) <= MAX_ADDRESS) return await use(path);
  if (process.platform !== "linux")
    throw new DatabaseError(
      `the path ${path} is too long for a socket, which locks the embedded database: set [db] path to a shorter one`,
    );
  const handle = openSync(folder, "r");
  try {
    await use(`/proc/self/fd/${handle}/${socket}`);
  } finally {
    closeSync(handle);
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
