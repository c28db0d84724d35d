import { homedir } from "node:os";
import { isAbsolute, join, resolve } from "node:path";
import { ExpectedError } from "../core/expected_error.ts";
import { attempt } from "../text/attempt.ts";

/** The user's home. Node throws for a user whom the system does not know, and believes an empty $HOME. */
export function homeFolder(): string | undefined {
  const home = attempt(homedir, "");
  return isAbsolute(home) ? home : undefined;
}

/** Relative paths start at `folder`, and `~` is the user's home. Throws ExpectedError. */
export function resolvePath(folder: string, path: string): string {
  if (!/^~(\/|$)/.test(path)) return resolve(folder, path);
  const home = homeFolder();
  if (home !== undefined) return join(home, path.slice(1));
  throw new ExpectedError(`${path}: this user has no home folder; write a path that starts with /`);
}
