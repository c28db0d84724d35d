import { type Slice, Spool } from "../spool/spool.ts";

/** What one tick may keep of its answers, all sources together, in bytes. */
export interface RoomLimits {
  readonly memory: number;
  readonly file: number;
}

const LIMITS: RoomLimits = { memory: 32 * 2 ** 20, file: 2 ** 30 };

/**
 * Where the answers of one tick are kept: the first in memory, the others in a file, so that a list of
 * 100,000 tasks is fetched once and takes no more memory than one of a few thousand.
 */
export class Room {
  #memory: number;
  #spool: Spool | undefined;

  constructor({ memory, file }: RoomLimits = LIMITS) {
    this.#memory = memory;
    this.#spool = new Spool(file);
  }

  /** Whether so many bytes may stay in memory. */
  take(bytes: number): boolean {
    if (bytes > this.#memory) return false;
    this.#memory -= bytes;
    return true;
  }

  /** Puts a body into the file; undefined where it does not fit, or the file cannot be written. */
  putAway(body: Buffer): Slice | undefined {
    try {
      return this.#spool?.append(body);
    } catch (error) {
      if (!(error instanceof RangeError)) this.close();
      return undefined;
    }
  }

  /** A body from the file; undefined where it is gone. */
  fetchBack(slice: Slice): Buffer | undefined {
    try {
      return this.#spool?.read(slice);
    } catch {
      this.close();
      return undefined;
    }
  }

  /** Forgets what is in the file: after a failed write nobody knows what is. */
  close(): void {
    this.#spool?.close();
    this.#spool = undefined;
  }
}
