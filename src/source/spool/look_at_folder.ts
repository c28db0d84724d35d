import { type Dirent, statSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { identifierOf } from "../../spool/origin.ts";
import { isSpoolFile } from "../../spool/spool_file.ts";
import { attempt } from "../../text/attempt.ts";
import { errorText } from "../../text/describe.ts";
import { readLastLine, withFile } from "./read_lines.ts";

/** Files of one folder; a feeder begins one with each start. */
const MAX_FILES = 1_000;

export interface LastLine {
  /** Of the service, whichever run. */
  readonly identifier: string;
  readonly pool: string;
  /** Epoch seconds. */
  readonly at: number;
}

/** The folder of a spool at one moment. */
export interface SpoolFolder {
  /** The files that can be read, and their bytes. */
  readonly files: ReadonlyMap<string, number>;
  /** The last line of each file. */
  readonly lastLines: readonly LastLine[];
  /** What cannot be read, and why. */
  readonly faults: readonly string[];
}

/** Throws an error with a message for operators if the folder cannot be read. */
export async function lookAtFolder(folder: string): Promise<SpoolFolder> {
  const found = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    throw new Error(whyUnreadable(folder, error), { cause: error });
  });
  const names = newest(
    folder,
    found.filter((each) => each.isFile() && isSpoolFile(each.name)),
  );
  const files = new Map<string, number>();
  const lastLines: LastLine[] = [];
  const unreadable: string[] = [];
  for (const name of names.slice(0, MAX_FILES)) {
    const path = join(folder, name);
    try {
      await withFile(path, async (file) => {
        const { size } = await file.stat();
        const last = await readLastLine(file, size);
        files.set(name, size);
        if (last === undefined) return;
        const { origin, pool, at } = last;
        lastLines.push({ identifier: identifierOf(origin), pool, at });
      });
    } catch (error) {
      // A feeder has deleted it since.
      if (codeOf(error) !== "ENOENT") unreadable.push(whyUnreadable(path, error));
    }
  }
  return { files, lastLines, faults: [...summary(unreadable), ...surplus(folder, names.length)] };
}

/** The names of the files; where they are too many, those that were written last come first. */
function newest(folder: string, files: readonly Dirent[]): readonly string[] {
  const names = files.map(({ name }) => name);
  if (names.length <= MAX_FILES) return names;
  const changed = names.map((name) => {
    const time = attempt(() => statSync(join(folder, name)).mtimeMs, 0);
    return { name, time };
  });
  return changed.sort((a, b) => b.time - a.time).map(({ name }) => name);
}

function summary(unreadable: readonly string[]): readonly string[] {
  const [first] = unreadable;
  if (first === undefined || unreadable.length === 1) return unreadable;
  return [`${unreadable.length} files cannot be read; one of them: ${first}`];
}

function surplus(folder: string, count: number): readonly string[] {
  if (count <= MAX_FILES) return [];
  return [
    `${folder} has ${count} files, and only the newest ${MAX_FILES} are read; see why the feeder starts so often, and delete old files`,
  ];
}

function whyUnreadable(path: string, error: unknown): string {
  if (codeOf(error) === "ENOENT")
    return `there is no folder ${path}; make it, and start what writes to it, such as swf-alarms listen --spool ${path}`;
  if (codeOf(error) !== "EACCES") return `cannot read ${path}: ${errorText(error)}`;
  const { uid, gid, mode } = attempt(() => statSync(path), { uid: "?", gid: "?", mode: undefined });
  const rights = mode === undefined ? "?" : (mode & 0o7777).toString(8).padStart(4, "0");
  return `cannot read ${path}, which belongs to user ${uid} and group ${gid} and has mode ${rights}; add the user ${process.geteuid?.()}, who runs the engine, to that group, and let the group read it (folder 2750, files 0640)`;
}

function codeOf(error: unknown): unknown {
  return error instanceof Error ? Reflect.get(error, "code") : undefined;
}
