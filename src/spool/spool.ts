import { randomUUID } from "node:crypto";
import { closeSync, existsSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Bytes that gather before they are written: most entries are small. */
const CHUNK = 256 * 2 ** 10;

/** Where an entry is, in bytes. */
export interface Slice {
  readonly at: number;
  readonly length: number;
}

/**
 * What does not fit into memory for the time of a tick: bytes that are appended once and read back by
 * their place. They lie in a file without a name, which is gone with the process, whatever ends it.
 */
export class Spool {
  readonly #most: number;
  #file: number | undefined;
  #pending: Uint8Array[] = [];
  #written = 0;
  #waiting = 0;
  #failure: unknown;

  /** `most` is in bytes. */
  constructor(most: number) {
    this.#most = most;
  }

  /** Bytes in all. */
  get size(): number {
    return this.#written + this.#waiting;
  }

  /**
   * Throws RangeError where the spool is full, or what the file system says where it cannot be written: after
   * that nobody knows what is where, so nothing more is taken, and nothing given back.
   */
  append(bytes: Uint8Array): Slice {
    this.#checkWhole();
    if (this.size + bytes.length > this.#most)
      throw new RangeError(`more than ${Math.round(this.#most / 2 ** 20)} MiB`);
    const slice = { at: this.size, length: bytes.length };
    this.#pending.push(bytes);
    this.#waiting += bytes.length;
    if (this.#waiting >= CHUNK) this.#flush();
    return slice;
  }

  /** Throws what went wrong, now or in an earlier write. */
  read({ at, length }: Slice): Buffer {
    this.#checkWhole();
    this.#flush();
    const bytes = Buffer.alloc(length);
    for (let done = 0; done < length; ) {
      const count =
        this.#file === undefined ? 0 : readSync(this.#file, bytes, done, length - done, at + done);
      if (count === 0) throw new Error("the spool file is shorter than what was written to it");
      done += count;
    }
    return bytes;
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
    this.#pending = [];
  }

  #checkWhole(): void {
    if (this.#failure === undefined) return;
    const reason = this.#failure instanceof Error ? this.#failure.message : String(this.#failure);
    throw new Error(`an earlier write to the disk failed: ${reason}`);
  }

  #flush(): void {
    if (this.#pending.length === 0) return;
    const bytes = Buffer.concat(this.#pending);
    this.#pending = [];
    this.#waiting = 0;
    try {
      this.#file ??= openNameless();
      for (let done = 0; done < bytes.length; ) {
        done += writeSync(this.#file, bytes, done, bytes.length - done, this.#written + done);
      }
    } catch (error) {
      this.#failure = error;
      throw error;
    }
    this.#written += bytes.length;
  }
}

/** On many systems `/tmp` is memory; `/var/tmp` is a disk. */
function openNameless(): number {
  const folder = process.env.TMPDIR || (existsSync("/var/tmp") ? "/var/tmp" : tmpdir());
  const path = join(folder, `swf-alarms-${randomUUID()}`);
  const file = openSync(path, "wx+", 0o600);
  rmSync(path);
  return file;
}
