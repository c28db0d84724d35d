import type { SpoolLine } from "../../../spool/spool_line.ts";
import { FetchError } from "../../fetch_error.ts";
import type { SpoolEvent } from "../client.ts";
import type { Receiver } from "../receive.ts";
import { FileReader, type ReadStretch } from "./file_reader.ts";
import { SpoolPosition } from "./position.ts";

/** Bytes of all files that are read at the same time, and of one of them. */
const MAX_AT_ONCE = 8 * 2 ** 20;
const MIN_STRETCH = 16 * 1024;
const MAX_STRETCH = 256 * 1024;

/** How far one alarm has read its spools. */
export interface SpoolPositions {
  /** As stored, by the name of the source. */
  readonly stored: () => Promise<{ readonly [source: string]: string | undefined }>;
  /** Those that this run has begun to read. */
  readonly current: Map<string, SpoolPosition>;
}

export interface SpoolFacts {
  /** Of the source. */
  readonly name: string;
  readonly receiver: Receiver;
  readonly positions: SpoolPositions;
  /** Epoch seconds of the tick. */
  readonly now: number;
  readonly onNote: (text: string) => void;
  readonly onIncomplete: (reason: string) => void;
}

/** The new events of a spool: see `AlarmClient.pages`. */
export async function* spoolLines(facts: SpoolFacts): AsyncGenerator<SpoolEvent, void, undefined> {
  const { name, receiver, now, onIncomplete } = facts;
  const note = (text: string): void => facts.onNote(`the source ${name}: ${text}`);
  const position = await positionOf(facts, note);
  const listed = await receiver.receive<[string, number][]>({ path: "files", query: {} });
  // What it does not find makes the outcome incomplete; the lines that are there count.
  await unlessFailed(receiver.respond({ path: "check", query: { now } }));
  const readers = await openReaders(facts, position, new Map(listed.value), note);
  try {
    for (;;) {
      const reader = earliest(readers);
      if (reader?.line === undefined) break;
      const { skipped, ...event } = reader.line;
      if (skipped !== true && !position.has(event)) yield event;
      // Only now has the module asked beyond it: one that it threw at comes again.
      position.take(reader.line, now);
      position.files.set(reader.name, reader.end);
      await reader.advance();
    }
    for (const { name: file, end } of readers) position.files.set(file, end);
    for (const lost of position.takeLost(now)) onIncomplete(`the source ${name}: ${lost}`);
  } finally {
    noteBroken(readers, note);
  }
}

async function positionOf(
  { name, positions }: SpoolFacts,
  note: (text: string) => void,
): Promise<SpoolPosition> {
  const { stored, current } = positions;
  const known = current.get(name);
  if (known !== undefined) return known;
  const all = await stored();
  const position = new SpoolPosition(all[name]);
  current.set(name, position);
  if (position.fault !== undefined) note(position.fault);
  const others = Object.keys(all);
  if (all[name] === undefined && others.length > 0)
    note(
      `it is read from its beginning, since this alarm has only read ${others.join(", ")} so far`,
    );
  return position;
}

/** One for each file that may have new lines, before its first one. */
async function openReaders(
  { receiver }: SpoolFacts,
  position: SpoolPosition,
  sizes: ReadonlyMap<string, number>,
  note: (text: string) => void,
): Promise<readonly FileReader[]> {
  const { files } = position;
  const known = files.size;
  for (const file of [...files.keys()]) if (!sizes.has(file)) files.delete(file);
  if (known > 0 && files.size === 0)
    note(`none of the ${known} files that were read before is there any more`);
  const grown = [...sizes].filter(([file, size]) => size !== (files.get(file) ?? 0));
  const share = Math.floor(MAX_AT_ONCE / Math.max(1, grown.length));
  const max = Math.min(MAX_STRETCH, Math.max(MIN_STRETCH, share));
  const readFrom = async (file: string, from: number, bytes = max): Promise<Buffer> => {
    const query = { file, from, max: bytes };
    const response = await unlessFailed(receiver.respond({ path: "lines", query }));
    return response?.body ?? Buffer.alloc(0);
  };
  const readers: FileReader[] = [];
  for (const [file, size] of grown) {
    const read: ReadStretch = async (from) =>
      from < size ? await readFrom(file, from) : Buffer.alloc(0);
    const reached = files.get(file) ?? 0;
    const isSame = reached <= size && (reached === 0 || (await endsLine(readFrom, file, reached)));
    if (!isSame) note(`${file} is another file than before, so that it is read from its beginning`);
    const reader = new FileReader(file, isSame ? reached : 0, read);
    await reader.advance();
    readers.push(reader);
  }
  return readers;
}

/** Whether a line ends there, as it did when the file was read that far. */
async function endsLine(
  read: (file: string, from: number, bytes: number) => Promise<Buffer>,
  file: string,
  reached: number,
): Promise<boolean> {
  const [first] = await read(file, reached - 1, 1);
  return first === undefined || first === "\n".charCodeAt(0);
}

/** That a request failed is recorded by then. */
async function unlessFailed<T>(response: Promise<T>): Promise<T | undefined> {
  try {
    return await response;
  } catch (error) {
    if (error instanceof FetchError) return undefined;
    throw error;
  }
}

/** The reader with the earliest line. */
function earliest(readers: readonly FileReader[]): FileReader | undefined {
  let first: FileReader | undefined;
  for (const reader of readers) {
    if (reader.line === undefined) continue;
    if (first?.line === undefined || isBefore(reader.line, first.line)) first = reader;
  }
  return first;
}

function isBefore(a: SpoolLine, b: SpoolLine): boolean {
  return a.at < b.at || (a.at === b.at && a.serial < b.serial);
}

function noteBroken(readers: readonly FileReader[], note: (text: string) => void): void {
  const broken = readers.filter((reader) => reader.broken > 0);
  const [first] = broken;
  if (first === undefined) return;
  const count = broken.reduce((sum, reader) => sum + reader.broken, 0);
  const lines = count === 1 ? "a broken line is" : `${count} broken lines are`;
  note(
    `${lines} skipped, such as a crash or a full disk leaves, in ${broken
      .map(({ name }) => name)
      .slice(0, 3)
      .join(", ")}`,
  );
}
