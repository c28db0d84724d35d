/**
 * What a user can set right: its message alone is printed, without a stack, and the process ends with its
 * exit code.
 */
export class ExpectedError extends Error {
  /** 1: what was asked for is not there. 2: nothing could start. */
  readonly exitCode: 1 | 2 = 2;
}
