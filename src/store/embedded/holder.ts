import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  type InferOutput,
  integer,
  maxValue,
  minValue,
  number,
  object,
  pipe,
  safeParse,
} from "valibot";

/** Who has the folder of an embedded database. */
export interface Holder {
  /** Undefined where nobody can tell. */
  readonly pid: number | undefined;
  /** Epoch seconds; undefined where nobody can tell. */
  readonly since: number | undefined;
}

/** Where the holder says who it is, for when it cannot answer: it may be stopped. */
export const HOLDER_FILE = "swf-alarms.holder";

const Note = object({
  pid: pipe(number(), integer(), minValue(1)),
  since: pipe(number(), minValue(0), maxValue(1e11)),
});

/** Notes this process as the holder. A folder that takes no note is held all the same. */
export function noteHolder(folder: string): void {
  const file = join(folder, HOLDER_FILE);
  const note = { pid: process.pid, since: Date.now() / 1000 };
  try {
    // What a killed holder left must not speak for this one, also where the disk is full.
    rmSync(file, { force: true });
    writeFileSync(file, `${JSON.stringify(note)}\n`, { mode: 0o600, flag: "wx" });
  } catch {}
}

/** Takes the note away. */
export function forgetHolder(folder: string): void {
  try {
    rmSync(join(folder, HOLDER_FILE), { force: true });
  } catch {}
}

/** What is known of the holder whose answer was this pid, or who gave none. */
export function readHolder(folder: string, answer: number | undefined): Holder {
  const note = readNote(folder);
  if (note === undefined || (answer !== undefined && note.pid !== answer))
    return { pid: answer, since: undefined };
  return note;
}

function readNote(folder: string): InferOutput<typeof Note> | undefined {
  try {
    const { success, output } = safeParse(
      Note,
      JSON.parse(readFileSync(join(folder, HOLDER_FILE), "utf8")),
    );
    return success && isAlive(output.pid) ? output : undefined;
  } catch {
    return undefined;
  }
}

/** A note of a process that is gone was left by one that was killed. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
