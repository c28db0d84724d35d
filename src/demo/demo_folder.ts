import { lstatSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { errorText } from "../text/describe.ts";

/** Whoever finds this file in a folder may know that the demo made the rest. */
const MARKER = ".swf-alarms-demo";

/** Where the demo keeps what it makes. */
export interface DemoFolder {
  /** As the reader typed it. */
  readonly path: string;
  readonly config: string;
  /** The embedded database. */
  readonly state: string;
  readonly outbox: string;
}

/** An empty path is the working folder, as everywhere. */
export function demoFolder(typed: string): DemoFolder {
  const path = typed === "" ? "." : typed;
  return {
    path,
    config: join(path, "config.toml"),
    state: join(path, "state"),
    outbox: join(path, "outbox"),
  };
}

/** Why the demo must not write here; undefined when it may. */
export function objection({ path }: DemoFolder): string | undefined {
  try {
    if (!exists(path)) return undefined;
    const names = readdirSync(path);
    if (names.length === 0 || names.includes(MARKER)) return undefined;
    return "it holds files that the demo did not make";
  } catch (error) {
    return errorText(error);
  }
}

/** Makes the folder anew. Of an earlier demo only what it made is removed; other files stay. */
export function remakeFolder(folder: DemoFolder, baseUrl: string, alarmsDir: string): void {
  const marker = join(folder.path, MARKER);
  if (exists(marker)) {
    for (const path of [folder.state, folder.outbox, folder.config])
      rmSync(path, { recursive: true, force: true });
  }
  if (!exists(folder.path)) mkdirSync(folder.path);
  // First of all, so that a demo that is cut short can be run again.
  writeFileSync(marker, "Made by `swf-alarms demo`. This folder can be deleted.\n");
  mkdirSync(folder.outbox, { mode: 0o700 });
  writeFileSync(folder.config, configText(baseUrl, alarmsDir));
}

function configText(baseUrl: string, alarmsDir: string): string {
  return `# Made by \`swf-alarms demo\`, which makes it anew at every run.
# Your own starts from config.toml.example, where every setting is explained.

[engine]
# The sample proxy. It ended with the demo, so a tick from here finds nobody to ask.
base_url = ${JSON.stringify(baseUrl)}
alarms_dir = ${JSON.stringify(alarmsDir)}

# A Postgres inside the engine, kept in this folder.
[db]
path = "state"

# Mail goes to files that any mail program opens.
[email]
provider = "file"
from = "swf-alarms@example.org"
dir = "outbox"
`;
}

/** A link that leads nowhere is there too. */
function exists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}
