import type { DeliveryError } from "../core/delivery.ts";
import { cut } from "../text/describe.ts";
import { headerText } from "../text/escape.ts";

/** `EX_TEMPFAIL` of sysexits.h, as mail programs use it: not delivered, try again. */
const TRY_AGAIN = 75;
/** Characters of its stderr that a message quotes. */
export const MAX_STDERR = 500;

/** How a program ended; `stopped` by the engine. */
export type CommandEnd =
  | { readonly kind: "not started"; readonly reason: string }
  | { readonly kind: "stopped"; readonly reason: string }
  | {
      readonly kind: "exited";
      readonly code: number | null;
      readonly signal: NodeJS.Signals | null;
      readonly stderr: string;
    };

/** Why a program other than one that exited with code 0 has not delivered, as far as is known. */
export function commandError(file: string, end: CommandEnd): DeliveryError {
  const error = (message: string, retryable: boolean, mayBeDelivered: boolean): DeliveryError => {
    return {
      message: `the program ${file} ${message}`,
      retryable,
      // It ran, so that it may deliver others.
      scope: end.kind === "exited" && end.signal === null ? "notification" : "channel",
      mayBeDelivered,
    };
  };
  if (end.kind === "stopped")
    return error(`was stopped by the engine and may have delivered: ${end.reason}`, true, true);
  if (end.kind === "not started") {
    const cannotRun = /^spawn .*(EACCES|ENOENT|ENOTDIR|ELOOP|ENOEXEC|E2BIG)$/.test(end.reason);
    const advice =
      "; check that it exists, that the engine's user may execute it, and the interpreter in its first line";
    return error(
      `could not be started: ${end.reason}${cannotRun ? advice : ""}`,
      !cannotRun,
      false,
    );
  }
  const { code, signal, stderr } = end;
  const output = cut(headerText(stderr), MAX_STDERR) || "it wrote nothing to stderr";
  if (signal !== null)
    return error(`was killed by ${signal} and may have delivered: ${output}`, true, true);
  if (code === TRY_AGAIN)
    return error(`exited with code ${code}, which asks to try again: ${output}`, true, false);
  return error(
    `exited with code ${code}: ${output}; run it by hand to find the cause`,
    false,
    false,
  );
}
