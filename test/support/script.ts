import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { BUILT, type PARTS } from "./built_parts.ts";
import type { ProcessResult } from "./process.ts";

/** A small program on the built engine, as a process of its own. */
export interface Script {
  readonly pid: number;
  /** The next line of its stdout. Throws with its stderr when it ends without one. */
  line(): Promise<string>;
  /** Sends it a line on stdin. */
  say(text: string): void;
  kill(signal: NodeJS.Signals): void;
  readonly ended: Promise<ProcessResult>;
}

/** The URL of a part of the engine (`PARTS`), for an `import` in a script: `store/postgres/connect.js`. */
export function built(part: (typeof PARTS)[number]): string {
  return new URL(part, BUILT).href;
}

/**
 * Starts JavaScript in a process of its own, as a module; `hear()` in it resolves at the next line
 * that the test says. Its environment holds nothing but PATH and what is given. `via` is a command in front
 * of it that ends in running its own arguments.
 */
export function startScript(
  code: string,
  env: { readonly [name: string]: string } = {},
  flags: readonly string[] = [],
  via: readonly string[] = [],
): Script {
  const head = `
    import { createInterface } from "node:readline";
    const heard = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
    const hear = () => heard.next();
  `;
  const node = [process.execPath, ...flags, "--input-type=module", "--eval", `${head}${code}`];
  const [program = "", ...args] = [...via, ...node];
  const child = spawn(program, args, {
    env: { PATH: process.env.PATH, ...env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  // A script that ended by itself no longer listens.
  child.stdin.on("error", () => {});
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk) => {
    stdout += chunk;
  });
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ended = once(child, "close").then(
    ([code]): ProcessResult => ({ code: typeof code === "number" ? code : null, stdout, stderr }),
  );
  return {
    pid: child.pid ?? 0,
    line: async () => {
      const next = await lines.next();
      if (next.done !== true) return next.value;
      throw new Error(`the script ended without a further line: ${(await ended).stderr}`);
    },
    say: (text) => {
      child.stdin.write(`${text}\n`);
    },
    kill: (signal) => {
      child.kill(signal);
    },
    ended,
  };
}

/** Runs JavaScript in a process of its own to its end. */
export async function runScript(
  code: string,
  env: { readonly [name: string]: string } = {},
  flags: readonly string[] = [],
  via: readonly string[] = [],
): Promise<ProcessResult> {
  return await startScript(`${code}\nprocess.stdin.destroy();`, env, flags, via).ended;
}
