import { errorText } from "../core/describe.ts";

/** Errors of work that a module started and forgot; they belong to no alarm that can be told. */
export interface Strays {
  /** One line each, so far. */
  readonly seen: readonly string[];
  stop(): void;
}

/** Listens for errors that nobody caught: they must neither end the tick nor be missing from its record. */
export function watchStrays(): Strays {
  const seen: string[] = [];
  const note = (reason: unknown): void => {
    seen.push(
      `an error that nobody caught, from what an alarm module left running: ${errorText(reason)}`,
    );
  };
  process.on("unhandledRejection", note);
  process.on("uncaughtException", note);
  return {
    seen,
    stop: () => {
      process.off("unhandledRejection", note);
      process.off("uncaughtException", note);
    },
  };
}
