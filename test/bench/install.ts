import { execFile } from "node:child_process";
import { copyFileSync, lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Bench } from "./bench.ts";
import { renderValue, type Section } from "./figures.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const LARGEST = 12;
/** Bytes; what `blocks` counts, whatever the file system. */
const BLOCK = 512;

/** What `npm ci --omit=dev` puts into `node_modules`. */
export async function install({ lab }: Bench): Promise<Section> {
  const folder = lab.folder();
  for (const file of ["package.json", "package-lock.json"])
    copyFileSync(join(ROOT, file), join(folder, file));
  const fault = await installInto(folder, lab.signal);
  const sizes = fault === undefined ? packageSizes(join(folder, "node_modules")) : [];
  const all = sizes.reduce((sum, { size }) => sum + size, 0);
  return {
    title: "Install",
    figures: [
      {
        work: "`npm ci --omit=dev`",
        measure: "size of `node_modules`",
        unit: "MB",
        values: fault === undefined ? [all / 1e6] : [],
        target: 60,
      },
    ],
    tables:
      fault === undefined
        ? [
            {
              head: ["its parts", "size"],
              rows: [
                ...sizes
                  .slice(0, LARGEST)
                  .map(({ name, size }) => [`\`${name}\``, renderValue(size / 1e6, "MB")]),
                [
                  `${sizes.length - LARGEST} others`,
                  renderValue(
                    sizes.slice(LARGEST).reduce((sum, { size }) => sum + size, 0) / 1e6,
                    "MB",
                  ),
                ],
              ],
            },
          ]
        : [],
    notes: [fault ?? "What the files take on the disk, as `du` counts."],
  };
}

/** Why it cannot be installed here; undefined where it is. */
async function installInto(folder: string, signal: AbortSignal): Promise<string | undefined> {
  try {
    await promisify(execFile)(
      "npm",
      ["ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund"],
      { cwd: folder, signal, timeout: 180_000 },
    );
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    const words = String(error)
      .split("\n")
      .find((line) => line.includes("npm error code"));
    return `Not measured: \`npm ci\` could not install (${words ?? "no registry"}).`;
  }
}

function packageSizes(modules: string): readonly { name: string; size: number }[] {
  const names = readdirSync(modules).flatMap((name) =>
    name.startsWith("@")
      ? readdirSync(join(modules, name)).map((inner) => `${name}/${inner}`)
      : [name],
  );
  return names
    .map((name) => ({ name, size: sizeOf(join(modules, name)) }))
    .sort((a, b) => b.size - a.size);
}

function sizeOf(path: string): number {
  const stat = lstatSync(path);
  const inside = stat.isDirectory() ? readdirSync(path) : [];
  return inside.reduce((sum, name) => sum + sizeOf(join(path, name)), stat.blocks * BLOCK);
}
