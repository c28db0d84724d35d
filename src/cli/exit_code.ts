/** Exit codes, the same for every command. */
export const EXIT = {
  /** Done, nothing wrong. */
  ok: 0,
  /** Done, but an alarm or a mail failed, or what was asked for is not there, or who is at work hangs. */
  failed: 1,
  /** Could not start: usage, configuration or database. */
  unable: 2,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Tells `main.ts` how the process is to end; a command calls it at most once. */
export type SetExit = (code: ExitCode) => void;
