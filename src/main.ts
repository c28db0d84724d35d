import { setFlagsFromString } from "node:v8";
import { CommanderError, InvalidArgumentError } from "commander";
import { buildProgram, buildRunProgram, withHelpOption } from "./cli/commands.ts";
import { dropUnsafeVariables } from "./cli/environment.ts";
import { EXIT, type ExitCode, type SetExit } from "./cli/exit_code.ts";
import { shown } from "./cli/output.ts";
import { stackInSources } from "./cli/stack.ts";
import { ExpectedError } from "./core/expected_error.ts";
import { errorText } from "./text/describe.ts";

/** The command lines, each with its file in `program/`. */
const PROGRAMS = { "swf-alarms": buildProgram, "swf-alarms-run": buildRunProgram } as const;

/**
 * The edge of the process: runs a command line and ends the process with its exit code. Nothing else
 * in the engine does.
 */
export async function runMain(
  name: keyof typeof PROGRAMS,
  argv: readonly string[],
): Promise<never> {
  // Memory that is free again is used again before more is taken: there is other work on the machine.
  setFlagsFromString("--heap-growing-percent=75");
  // The embedded database and the HTTP client's parser are WebAssembly. V8 would spend more time on optimising
  // them than a tick spends on running them, and tens of megabytes. Only both flags together prevent it.
  setFlagsFromString("--no-wasm-tier-up");
  setFlagsFromString("--no-wasm-dynamic-tiering");
  dropUnsafeVariables();
  // A defect of the engine in one place must not end the tick of all alarms; it is an error.
  let strays = 0;
  const onStray = (reason: unknown): void => {
    strays += 1;
    complain(`an error that nobody caught: ${inFull(reason)}`);
  };
  process.on("unhandledRejection", onStray);
  process.on("uncaughtException", onStray);
  // The reader of a pipe may leave early, as `head` does. What is at work goes on: a tick must be done.
  // And an error of stderr would be said on stderr, for ever.
  let unwritten: unknown;
  for (const stream of [process.stdout, process.stderr])
    stream.on("error", (error) => {
      if (!("code" in error) || error.code !== "EPIPE") unwritten ??= error;
    });
  // Not reached while there is work: it waits for something that no longer comes, and must not pass for done.
  process.on("beforeExit", () => {
    complain("the work stopped in the middle, with nothing left to wait for");
    process.exit(EXIT.unable);
  });
  let code: ExitCode = EXIT.ok;
  try {
    const setExit: SetExit = (given) => {
      code = given;
    };
    const program = await PROGRAMS[name](setExit);
    await program.parseAsync([...withHelpOption(argv)]);
  } catch (error) {
    code = explain(error);
  }
  if (strays > 0 && code === EXIT.ok) code = EXIT.failed;
  await flushed(process.stdout);
  await flushed(process.stderr);
  if (unwritten !== undefined && code === EXIT.ok) {
    complain(`cannot write all of the output: ${errorText(unwritten)}`);
    code = EXIT.failed;
  }
  // A slow socket must not keep cron waiting.
  process.exit(code);
}

/** Says what went wrong, in one line where that is enough, and gives the exit code. */
function explain(error: unknown): ExitCode {
  // Thrown by a command's own check: commander prints only what its parser finds.
  if (error instanceof InvalidArgumentError) {
    complain(error.message);
    return EXIT.unable;
  }
  if (error instanceof CommanderError) {
    // Commander has already printed its own message; help and version are no failures.
    return error.exitCode === 0 || error.code === "commander.help" ? EXIT.ok : EXIT.unable;
  }
  if (error instanceof ExpectedError) {
    complain(error.message);
    return error.exitCode;
  }
  complain(inFull(error));
  return EXIT.unable;
}

/** An error that is a defect of ours: with the place in the sources where it came from. */
function inFull(error: unknown): string {
  return error instanceof Error ? stackInSources(error.stack ?? error.message) : String(error);
}

function complain(message: string): void {
  process.stderr.write(`swf-alarms: ${shown(message)}\n`);
}

async function flushed(stream: NodeJS.WriteStream): Promise<void> {
  await new Promise<void>((resolve) => stream.write("", () => resolve()));
}
