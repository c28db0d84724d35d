import type { ProcessResult } from "./process.ts";

/** What cron must see of a clean tick: nothing to mail. */
export const QUIET: ProcessResult = { code: 0, stdout: "", stderr: "" };
