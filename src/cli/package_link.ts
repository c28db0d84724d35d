import { lstatSync, mkdirSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { realPath } from "../alarm/permissions.ts";
import { attempt } from "../text/attempt.ts";
import { errorText } from "../text/describe.ts";

/** How tests and editors find the package from an alarms folder. `target` is what the link says. */
export type PackageLink =
  | { readonly kind: "not needed" }
  | { readonly kind: "made"; readonly path: string; readonly target: string }
  | { readonly kind: "failed"; readonly path: string; readonly reason: string };

/** The package's folder, two levels up from `src/cli` and `dist/chunks` alike. */
const PACKAGE = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");

/** Links `node_modules/swf-alarms` beside an alarms folder to this package, unless Node finds it there. Never throws. */
export function linkPackage(folder: string): PackageLink {
  const site = dirname(realPath(folder));
  const path = join(site, "node_modules", "swf-alarms");
  const to = stablePath(PACKAGE);
  const find = createRequire(join(realPath(folder), "any.js")).resolve;
  if (attempt(() => find("swf-alarms/testing"), undefined) !== undefined)
    return { kind: "not needed" };
  if (attempt(() => lstatSync(path), undefined) !== undefined) {
    const reason = `${path} leads nowhere, or to a version without it; remove it and run: ln -s ${to} ${path}`;
    return { kind: "failed", path, reason };
  }
  // A site that is moved as a whole keeps its engine.
  const target = to.startsWith(site + sep) ? relative(dirname(path), to) : to;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
    symlinkSync(target, path);
    return { kind: "made", path, target };
  } catch (error) {
    return { kind: "failed", path, reason: errorText(error) };
  }
}

/** deploy/install.sh puts each version into a folder of its own, and a link `current` beside it. */
function stablePath(folder: string): string {
  const current = join(dirname(folder), "current");
  const isInstalled = basename(dirname(folder)) === "engine";
  return isInstalled && realPath(current) === realPath(folder) ? current : folder;
}
