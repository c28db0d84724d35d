/** The process that writes a file. */
export interface SpoolWriter {
  /** The service's. */
  readonly identifier: string;
  readonly pool: string;
  /** When the file was begun, in epoch seconds. */
  readonly start: number;
  readonly pid: number;
}

const ENDING = ".jsonl";
/** Characters of a part, so that the name fits every file system. */
const MAX_PART = 80;

/** The name of a new file: `<identifier>.<pool>.<start>.<pid>.jsonl`, such as `supervisor.swf.20251127T160000Z.4711.jsonl`. */
export function spoolFileName({ identifier, pool, start, pid }: SpoolWriter): string {
  const time = new Date(start * 1000).toISOString().replace(/\.\d+|[-:]/g, "");
  return `${safePart(identifier)}.${safePart(pool)}.${time}.${pid}${ENDING}`;
}

/** Whether it may be a file of a feeder; anything else in the folder is left alone. */
export function isSpoolFile(name: string): boolean {
  return name.endsWith(ENDING) && !name.startsWith(".");
}

function safePart(text: string): string {
  return text.replace(/[^\w-]/g, "_").slice(0, MAX_PART);
}
