import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { MAX_LINE } from "../../spool/limits.ts";
import { parseSpoolLine } from "../../spool/parse_spool_line.ts";
import type { SpoolLine } from "../../spool/spool_line.ts";

const NEWLINE = 10;
/** Bytes at the end of a file that have a whole line of usual length, and those that have one of any. */
const TAILS = [8 * 1024, 2 * MAX_LINE];

/** Never waits for the writer of a pipe, and follows no link out of the folder. */
export async function withFile<T>(
  path: string,
  work: (file: FileHandle) => Promise<T>,
): Promise<T> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  try {
    return await work(file);
  } finally {
    await file.close();
  }
}

export interface Stretch {
  /** Bytes from the beginning of the file. */
  readonly from: number;
  readonly end: number;
  /** Bytes at once. */
  readonly max: number;
}

/**
 * The whole lines of a stretch, as many as fit into `max` bytes but at least one. Empty if the stretch is less than a
 * line; without a line end if it is more than the longest one, so that something overwrote it.
 */
export async function readLines(file: FileHandle, { from, end, max }: Stretch): Promise<Buffer> {
  for (const bytes of [max, MAX_LINE]) {
    const read = await readBytes(file, from, Math.min(end, from + bytes));
    const last = read.lastIndexOf(NEWLINE);
    if (last !== -1) return read.subarray(0, last + 1);
    if (read.length === MAX_LINE) return read;
  }
  return Buffer.alloc(0);
}

/** The last whole line that is not broken. */
export async function readLastLine(file: FileHandle, size: number): Promise<SpoolLine | undefined> {
  for (const bytes of TAILS) {
    const read = await readBytes(file, Math.max(0, size - bytes), size);
    const lines = read.toString().split("\n").slice(0, -1);
    for (const text of lines.reverse()) {
      const line = parseSpoolLine(text);
      if (line !== undefined) return line;
    }
    if (bytes >= size) return undefined;
  }
  return undefined;
}

/** Fewer where the file has become shorter. */
async function readBytes(file: FileHandle, from: number, end: number): Promise<Buffer> {
  const buffer = Buffer.alloc(Math.max(0, end - from));
  const { bytesRead } = await file.read(buffer, 0, buffer.length, from);
  return buffer.subarray(0, bytesRead);
}
