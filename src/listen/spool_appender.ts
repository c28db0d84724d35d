import {
  appendFileSync,
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
} from "node:fs";
import { join } from "node:path";
import { expiredFiles } from "../spool/expired_files.ts";
import { MAX_FILE } from "../spool/limits.ts";
import { isSpoolFile, spoolFileName } from "../spool/spool_file.ts";
import { type SpoolLine, spoolLineText } from "../spool/spool_line.ts";
import { attempt } from "../text/attempt.ts";

const { O_APPEND, O_CREAT, O_WRONLY } = constants;
/** Its owner writes, the group of the folder reads. */
const MODE = 0o640;

/** Writes the lines of this process into files of its own in a folder that others may use too. */
export class SpoolAppender {
  readonly #folder: string;
  #file: string | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Appends the whole line, or nothing: then it throws what the system says. */
  append(identifier: string, line: SpoolLine): void {
    const descriptor = this.#open(identifier, line);
    try {
      const { size } = fstatSync(descriptor);
      try {
        appendFileSync(descriptor, spoolLineText(line));
      } catch (error) {
        // The next line must not continue a half one.
        ftruncateSync(descriptor, size);
        throw error;
      }
      if (fstatSync(descriptor).size >= MAX_FILE) this.#file = undefined;
    } finally {
      closeSync(descriptor);
    }
  }

  /**
   * Opened for each line: a descriptor that is kept would go on writing into a file that was deleted. A file that is
   * gone is not made again under its name, with which a reader's position goes.
   */
  #open(identifier: string, { pool, at }: SpoolLine): number {
    const flags = O_WRONLY | O_APPEND;
    const current = this.#file;
    if (current !== undefined) {
      const descriptor = attempt(() => openSync(join(this.#folder, current), flags), undefined);
      if (descriptor !== undefined) return descriptor;
    }
    const name = spoolFileName({ identifier, pool, start: at, pid: process.pid });
    const descriptor = openSync(join(this.#folder, name), flags | O_CREAT, MODE);
    this.#file = name;
    attempt(() => this.#deleteExpired(at), undefined);
    return descriptor;
  }

  /** A file of another user may stay; that user's feeder deletes it. */
  #deleteExpired(now: number): void {
    const files = readdirSync(this.#folder).filter(isSpoolFile);
    const facts = files.flatMap((name) => {
      const found = statSync(join(this.#folder, name), { throwIfNoEntry: false });
      return found?.isFile() ? [{ name, bytes: found.size, changed: found.mtimeMs / 1000 }] : [];
    });
    for (const name of expiredFiles(facts, now))
      attempt(() => rmSync(join(this.#folder, name), { force: true }), undefined);
  }
}
