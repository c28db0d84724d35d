import { closeSync, constants, openSync, readSync, statSync } from "node:fs";

/** Reads a file, never more than its size, and never waits: throws for a pipe, a device, or more than 64 MiB. */
export function readRegularFile(path: string): Buffer {
  const stats = statSync(path);
  if (!stats.isFile() || stats.size > 2 ** 26)
    throw new Error(`${path} is not a regular file of at most 64 MiB`);
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const content = Buffer.alloc(stats.size);
    return content.subarray(0, readSync(file, content));
  } finally {
    closeSync(file);
  }
}
