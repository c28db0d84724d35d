/** Exit codes, the same for every command. */
export const EXIT = {
  ok: 0,
  /** An alarm or a mail failed, what the user named does not exist, or the running tick is overdue. */
  failed: 1,
  /** The command could not start: usage, configuration or database. */
  unable: 2,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Sets the exit code; a command calls it at most once. */
export type SetExit = (code: ExitCode) => void;
