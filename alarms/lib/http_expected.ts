import { quote, show } from "./fields.ts";
import type { Answer } from "./http_look.ts";
import { MAX_BODY } from "./http_look.ts";

/** Whether a status is one of those. */
export type StatusTest = (status: number) => boolean;

/** `200`, `200-299`, `200,301-302`. Null for anything else. */
export function parseStatuses(text: string): StatusTest | null {
  const ranges = text
    .split(",")
    .map((part) => /^\s*([1-5]\d\d)(?:\s*-\s*([1-5]\d\d))?\s*$/.exec(part));
  const tests: StatusTest[] = [];
  for (const range of ranges) {
    if (range === null) return null;
    const [, first, last = first] = range;
    tests.push((status) => status >= Number(first) && status <= Number(last));
  }
  return (status) => tests.some((test) => test(status));
}

export interface Expected {
  /** As in the parameter, for messages. */
  readonly status: string;
  readonly isStatus: StatusTest;
  readonly text: string | undefined;
}

/** What is wrong, for the subject and the metric cell; undefined if all is well. */
export function problemOf(answer: Answer, expected: Expected): Problem | undefined {
  if (answer.kind === "given up") return undefined;
  if (answer.kind === "failed")
    return { text: show(answer.reason.slice(0, 300)), metric: "no answer" };
  const { status, location, body, isWhole } = answer;
  if (!expected.isStatus(status)) {
    const target = location === undefined ? "" : ` to ${show(location.slice(0, 200))}`;
    return { text: `status ${status}${target}, expected ${expected.status}`, metric: `${status}` };
  }
  if (expected.text === undefined || body.includes(expected.text)) return undefined;
  const where = isWhole ? "" : ` in its first ${MAX_BODY / 1024 ** 2} MiB`;
  return {
    text: `status ${status} without the text ${quote(expected.text)}${where}`,
    metric: "text missing",
  };
}

export interface Problem {
  readonly text: string;
  readonly metric: string;
}
