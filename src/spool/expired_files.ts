import { MAX_FILE_AGE, MAX_FOLDER } from "./limits.ts";

export interface FileFacts {
  readonly name: string;
  readonly bytes: number;
  /** When it was last written, in epoch seconds. */
  readonly changed: number;
}

/** The files that a folder of a spool must lose: the old ones, and the oldest while all are too large. */
export function expiredFiles(files: readonly FileFacts[], now: number): readonly string[] {
  let bytes = 0;
  return files
    .toSorted((a, b) => b.changed - a.changed)
    .filter((file) => {
      bytes += file.bytes;
      return bytes > MAX_FOLDER || now - file.changed > MAX_FILE_AGE;
    })
    .map(({ name }) => name);
}
