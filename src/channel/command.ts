import { accessSync, constants, statSync } from "node:fs";
import { basename } from "node:path";
import { custom, object, optional } from "valibot";
import { showPath } from "../config/issue.ts";
import { resolvePath } from "../config/path.ts";
import { isPath, seconds } from "../config/values.ts";
import { shellWord } from "../core/rights.ts";
import { attempt } from "../text/attempt.ts";
import { channelType } from "./channel_type.ts";

const WORDS = 'a program\'s path and its arguments, such as ["/usr/local/bin/page", "--urgent"]';

const programAndArguments = custom<readonly string[]>(
  (value) =>
    Array.isArray(value) &&
    value.every((word) => typeof word === "string" && !word.includes("\0")) &&
    isPath(value[0] ?? ""),
  `must be a list of ${WORDS}`,
);

/** A program of the site, which gets each notification as JSON. */
export const command = channelType(
  object(
    { command: programAndArguments, timeout: optional(seconds, 20) },
    `missing; must be a list of ${WORDS}`,
  ),
  ({ command: [program = "", ...args], timeout }, { path, around, faults }) => {
    // As any other path of the configuration. PATH is not searched: cron's differs from that of a terminal.
    const { folder } = around;
    const file = resolvePath(folder, program);
    const fault = programFault(file) ?? around.writableFault?.(file);
    if (fault !== undefined) faults.push(`${showPath([...path, "command"])}: ${fault}`);
    return {
      target: basename(file),
      open: async () =>
        (await import("./command_channel.ts")).commandChannel({ file, args, folder, timeout }),
    };
  },
);

/** Why the engine's user cannot run the program; undefined if it can. */
function programFault(file: string): string | undefined {
  const stats = attempt(() => statSync(file), undefined);
  if (stats === undefined)
    return `cannot find the program ${file}; write its absolute path, or one from the configuration's folder (PATH is not searched)`;
  if (!stats.isFile()) return `${file} is not a file; write the path of a program`;
  if (attempt(() => accessSync(file, constants.X_OK), "denied") === "denied")
    return `the engine's user cannot execute ${file}; as the owner run: chmod +x ${shellWord(file)}`;
  return undefined;
}
