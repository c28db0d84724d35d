/** Bytes after which a feeder begins a new file. */
export const MAX_FILE = 4 * 2 ** 20;
/** Bytes of all files of a folder; a feeder deletes the oldest ones above it. */
export const MAX_FOLDER = 64 * 2 ** 20;
/** Seconds after the last change of a file until a feeder deletes it. */
export const MAX_FILE_AGE = 7 * 86_400;
/** Characters of a payload; the rest is cut. */
export const MAX_PAYLOAD = 100_000;
/** Bytes of a line: more than the longest payload has with each character escaped. A longer line is broken. */
export const MAX_LINE = 2 ** 20;
