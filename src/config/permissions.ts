import { type Dirent, lstatSync, readdirSync, realpathSync, type Stats, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { type Rights, replaceableByOthers, writableByOthers } from "../core/rights.ts";

/** More than any alarms folder holds; a folder such as `/` must not keep the tick busy. */
const MOST_ENTRIES = 10_000;
/** Named in one message, which stays one line. */
const MOST_NAMED = 5;

/** What is wrong with the rights of an alarms folder. */
export interface FolderRights {
  /** Why no alarm may be loaded from it; undefined where nothing is wrong. */
  readonly refused: string | undefined;
  /** Modules that others can write, by path: each costs its own alarm. */
  readonly modules: ReadonlyMap<string, string>;
}

/**
 * Why the configuration must not be used: others can write it, or put another file in its place.
 * Undefined where nothing is wrong.
 */
export function checkConfigFile(path: string): string | undefined {
  if (!hasModes()) return undefined;
  const real = realPath(path);
  const folders = [dirname(path), dirname(real)].filter(isReplaceable);
  const found = [...[real].filter(isWritable), ...folders];
  return refusal(
    `the configuration ${quoted(path)}`,
    "could make the engine run and send what they like",
    found,
  );
}

/**
 * The same of the dotenv file that holds the database login. Its folder belongs to another program, and
 * is not judged.
 */
export function checkLoginFile(path: string): string | undefined {
  if (!hasModes() || !isWritable(path)) return undefined;
  return refusal(`the login in ${quoted(path)}`, "could send the engine to another database", [
    realPath(path),
  ]);
}

/**
 * Looks at everything that modules may be loaded from. A folder that others can write, or a file that
 * several modules may share, refuses the whole; a module file of its own (`modules` are their paths)
 * costs only its alarm.
 */
export function checkAlarmsFolder(folder: string, modules: ReadonlySet<string>): FolderRights {
  if (!hasModes()) return { refused: undefined, modules: new Map() };
  const walk: Walk = {
    ownModules: modules,
    left: MOST_ENTRIES,
    seen: new Set(),
    found: [dirname(folder)].filter(isReplaceable),
    faults: new Map(),
  };
  walkFolder(folder, isLink(folder), walk);
  const what = `the alarms folder ${quoted(folder)}`;
  const refused =
    walk.left > 0
      ? refusal(what, "could run their own code as the engine", walk.found)
      : `cannot check who can write ${what}: it holds more than ${MOST_ENTRIES} files; keep nothing but modules in it, or allow it knowingly with --allow-writable`;
  return { refused, modules: walk.faults };
}

interface Walk {
  readonly ownModules: ReadonlySet<string>;
  left: number;
  /** Real paths of folders: a link may lead back up. */
  readonly seen: Set<string>;
  readonly found: string[];
  readonly faults: Map<string, string>;
}

function walkFolder(folder: string, throughLink: boolean, walk: Walk): void {
  const real = realPath(folder);
  if (walk.seen.has(real)) return;
  walk.seen.add(real);
  walk.found.push(...writableParts(folder, throughLink));
  // What is installed there is many files, and none of them is written by hand.
  if (basename(folder) === "node_modules") return;
  for (const entry of entriesOf(folder)) {
    if (entry.name.startsWith(".")) continue;
    walk.left -= 1;
    if (walk.left <= 0) return;
    const path = join(folder, entry.name);
    if (rightsOf(path)?.isDirectory() === true) {
      walkFolder(path, entry.isSymbolicLink(), walk);
      continue;
    }
    const writable = writableParts(path, entry.isSymbolicLink());
    const [first] = writable;
    if (first === undefined) continue;
    if (walk.ownModules.has(path)) walk.faults.set(path, moduleFault(first));
    else walk.found.push(...writable);
  }
}

/** The file or folder, and where it is a link also the folder in which its target could be replaced. */
function writableParts(path: string, throughLink: boolean): readonly string[] {
  const real = realPath(path);
  const holder = throughLink ? [dirname(real)].filter(isReplaceable) : [];
  return [...[real].filter(isWritable), ...holder];
}

function moduleFault(path: string): string {
  return `can be written by others${mode(path)}; as its owner run: chmod go-w ${quoted(path)}`;
}

function refusal(what: string, danger: string, found: readonly string[]): string | undefined {
  const paths = [...new Set(found)];
  if (paths.length === 0) return undefined;
  const named = paths.slice(0, MOST_NAMED);
  const more = paths.length - named.length;
  const rest = more === 0 ? "" : ` (and ${more} more, which the next attempt names)`;
  const [first = ""] = named;
  const culprit =
    paths.length === 1 ? `${first}${mode(first)}` : `${paths.length} files and folders`;
  return `refused ${what}: others can write ${culprit} and ${danger}; as the owner run: chmod go-w ${named.map(quoted).join(" ")}${rest}, or allow it knowingly with --allow-writable`;
}

function mode(path: string): string {
  const rights = rightsOf(path);
  return rights === undefined ? "" : ` (mode ${(rights.mode & 0o7777).toString(8)})`;
}

/** A word as a shell takes it. */
export function quoted(path: string): string {
  return `'${path.replaceAll("'", "'\\''")}'`;
}

/** Windows has no modes; what `stat` gives there means nothing. */
function hasModes(): boolean {
  return process.platform !== "win32";
}

function isWritable(path: string): boolean {
  return judged(path, writableByOthers);
}

function isReplaceable(folder: string): boolean {
  return judged(folder, replaceableByOthers);
}

/** What cannot be looked at is not there, or not for the engine; whoever reads it says so. */
function judged(path: string, judge: (rights: Rights) => boolean): boolean {
  const rights = rightsOf(path);
  return rights !== undefined && judge(rights);
}

/** Of what a link leads to; undefined where there is nothing. */
function rightsOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
}

/** The path without links; a path that cannot be resolved stays as it is. */
export function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

function entriesOf(folder: string): readonly Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch {
    return [];
  }
}
