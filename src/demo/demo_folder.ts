import { lstatSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { errorText } from "../text/describe.ts";

/** Marks a folder that the demo made. */
const MARKER = ".swf-alarms-demo";

export interface DemoFolder {
  /** As the user typed it. */
  readonly path: string;
  readonly config: string;
  /** The embedded database. */
  readonly state: string;
  readonly outbox: string;
}

export function demoFolder(typed: string): DemoFolder {
  const path = typed === "" ? "." : typed;
  return {
    path,
    config: join(path, "config.toml"),
    state: join(path, "state"),
    outbox: join(path, "outbox"),
  };
}

/** Why the demo must not write here; undefined if it may. */
export function folderError({ path }: DemoFolder): string | undefined {
  try {
    if (!exists(path)) return undefined;
    const names = readdirSync(path);
    const isOurs = names.length === 0 || names.includes(MARKER);
    return isOurs ? undefined : "it holds files that the demo did not create";
  } catch (error) {
    return errorText(error);
  }
}

/** Replaces what an earlier demo made here; other files stay. */
export function makeFolder(folder: DemoFolder, baseUrl: string, alarmsDir: string): void {
  if (exists(join(folder.path, MARKER))) {
    for (const path of [folder.state, folder.outbox, folder.config])
      rmSync(path, { recursive: true, force: true });
  }
  if (!exists(folder.path)) mkdirSync(folder.path);
  // Before the other files, so that an interrupted demo can be run again.
  writeFileSync(
    join(folder.path, MARKER),
    "Created by `swf-alarms demo`. You can delete this folder.\n",
  );
  mkdirSync(folder.outbox, { mode: 0o700 });
  writeFileSync(folder.config, configText(baseUrl, alarmsDir));
}

function configText(baseUrl: string, alarmsDir: string): string {
  return `# Created by \`swf-alarms demo\`, and overwritten by the next demo.
# For your own, copy config.toml.example, which explains every setting.

[engine]
# The sample proxy, which stopped with the demo.
base_url = ${JSON.stringify(baseUrl)}
alarms_dir = ${JSON.stringify(alarmsDir)}

# An embedded Postgres in this folder.
[db]
path = "state"

# Mail goes to .eml files.
[email]
provider = "file"
from = "swf-alarms@example.org"
dir = "outbox"
`;
}

/** True for a broken link too. */
function exists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}
