import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { CommanderError, InvalidArgumentError } from "commander";
import { buildProgram, buildRunProgram, withHelpOption } from "./cli/commands.ts";
import { logEntry } from "./cli/console_log.ts";
import { EXIT, type ExitCode } from "./cli/exit_code.ts";
import { shown } from "./cli/output.ts";
import { stackInSources } from "./cli/stack.ts";
import { listenToStopSignals } from "./cli/stop_signals.ts";
import { ExpectedError } from "./core/expected_error.ts";
import { errorText } from "./text/describe.ts";

/** The command lines, each with its file in `program/`. */
const PROGRAMS = { "swf-alarms": buildProgram, "swf-alarms-run": buildRunProgram } as const;

/** Runs a command line and ends the process with its exit code. Nothing else in the engine ends it. */
export async function runMain(
  name: keyof typeof PROGRAMS,
  argv: readonly string[],
): Promise<never> {
  // Collect garbage before growing the heap: the machine has other work.
  setFlagsFromString("--heap-growing-percent=75");
  // V8 would spend more time and memory on optimising the WebAssembly of the embedded database and of the
  // HTTP parser than a tick spends in it. It takes both flags to prevent that.
  setFlagsFromString("--no-wasm-tier-up");
  setFlagsFromString("--no-wasm-dynamic-tiering");

  listenToStopSignals();
  let code: ExitCode = EXIT.ok;
  let unhandled = false;
  // A defect of the engine in one place must not end the tick of all alarms.
  const onUnhandled = (reason: unknown): void => {
    unhandled = true;
    complain(`unhandled error: ${withStack(reason)}`);
  };
  process.on("unhandledRejection", onUnhandled).on("uncaughtException", onUnhandled);
  let writeError: unknown;
  for (const stream of [process.stdout, process.stderr])
    stream.on("error", (error) => {
      // The reader of a pipe may leave early, as `head` does; the tick continues.
      if (!("code" in error) || error.code !== "EPIPE") writeError ??= error;
    });
  // An await that never ends would otherwise look like success.
  process.on("beforeExit", () => {
    complain("internal error: the command stopped before its end, with nothing left to wait for");
    process.exit(EXIT.unable);
  });

  try {
    const program = await PROGRAMS[name]((given) => {
      code = given;
    });
    await program.parseAsync([...withHelpOption(argv)]);
  } catch (error) {
    code = explain(error);
  }
  if (unhandled && code === EXIT.ok) code = EXIT.failed;
  for (const stream of [process.stdout, process.stderr])
    await new Promise<void>((resolve) => stream.write("", () => resolve()));
  if (writeError !== undefined && code === EXIT.ok) {
    complain(`cannot write all of the output: ${errorText(writeError)}`);
    code = EXIT.failed;
  }
  if (code !== EXIT.ok) await leaveBlocked();
  // Does not wait for open sockets.
  process.exit(code);
}

/** Milliseconds. */
const BLOCKED = 2_000;

/** `process.exit` would wait for name lookups and reads of files that the system does not finish. */
async function leaveBlocked(): Promise<void> {
  for (const until = performance.now() + BLOCKED; performance.now() < until; await sleep(50))
    if (!process.getActiveResourcesInfo().some((kind) => /^(GetAddrInfo|FSReq)/.test(kind))) return;
  process.kill(process.pid, "SIGKILL");
}

/** Prints what went wrong and returns the exit code. */
function explain(error: unknown): ExitCode {
  // Commander has printed its own errors, except those that a command's action throws.
  if (error instanceof CommanderError && !(error instanceof InvalidArgumentError))
    return error.exitCode === 0 || error.code === "commander.help" ? EXIT.ok : EXIT.unable;
  const isExpected = error instanceof ExpectedError || error instanceof InvalidArgumentError;
  complain(isExpected ? error.message : withStack(error));
  return error instanceof ExpectedError ? error.exitCode : EXIT.unable;
}

function withStack(error: unknown): string {
  return error instanceof Error ? stackInSources(error.stack ?? error.message) : String(error);
}

/** Further lines are indented, so that none can pass for another message. */
function complain(message: string): void {
  logEntry("error", message);
  process.stderr.write(`swf-alarms: ${shown(message).replace(/\n(?! {2})/g, "\n    ")}\n`);
}
