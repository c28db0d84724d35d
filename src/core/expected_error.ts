/**
 * An error that the user can fix. Only its message is printed, without a stack trace, and the process ends
 * with its exit code.
 */
export class ExpectedError extends Error {
  /** 1: what the user named does not exist. 2: the command could not start. */
  readonly exitCode: 1 | 2 = 2;
}
