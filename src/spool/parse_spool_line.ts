import {
  boolean,
  finite,
  number,
  object,
  optional,
  pipe,
  regex,
  safeInteger,
  safeParse,
  string,
} from "valibot";
import { attempt } from "../text/attempt.ts";
import type { SpoolLine } from "./spool_line.ts";

const COUNT = pipe(number(), safeInteger());

const LINE = object({
  origin: pipe(string(), regex(/^.+:[^:]+$/s)),
  serial: COUNT,
  pool: string(),
  poolserial: COUNT,
  event: string(),
  at: pipe(number(), finite()),
  payload: string(),
  skipped: optional(boolean()),
});

/** Undefined for what is no whole line: a crash or a full disk may have cut it. */
export function parseSpoolLine(text: string): SpoolLine | undefined {
  const value = attempt((): unknown => JSON.parse(text), undefined);
  const parsed = safeParse(LINE, value);
  return parsed.success ? parsed.output : undefined;
}
