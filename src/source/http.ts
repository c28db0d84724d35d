import { BodyError, readBeginning, readBody } from "./body.ts";
import type { Blame } from "./circuit_breaker.ts";
import { explainConnection } from "./connection_error.ts";
import type { Connections, ReplyHeaders } from "./connections.ts";
import { excerpt } from "./excerpt.ts";
import { findJsonFault, type JsonFault } from "./json_fault.ts";
import { type Attempt, type Failure, parseRetryAfter } from "./retry.ts";

export interface HttpOptions {
  readonly connections: Pick<Connections, "get">;
  readonly headers: { readonly [name: string]: string };
  /** Seconds for the whole exchange. */
  readonly timeout: number;
  /** Bytes of body, unpacked; more is a failure. */
  readonly maxBody: number;
  readonly signal: AbortSignal;
  /** Takes the secrets out of a text that may end up in a message: services repeat what they are sent. */
  readonly redact: (text: string) => string;
  /** Epoch seconds, for a `retry-after` that holds a date. */
  readonly now: () => number;
}

/** One GET. Never throws: everything that is not a whole JSON answer is a failure with a reason. */
export async function attemptGet(url: URL, options: HttpOptions): Promise<Attempt> {
  const timeout = AbortSignal.timeout(Math.ceil(options.timeout * 1000));
  const quoted = (text: string): string => excerpt(options.redact(text));
  try {
    const signal = AbortSignal.any([timeout, options.signal]);
    const reply = await options.connections.get(url, options.headers, signal);
    const { status, headers, body } = reply;
    if (status === 200) return judgeJson(await readBody(body, headers, options.maxBody), quoted);
    const text = await readBeginning(body, headers);
    return refused(status, headers, quoted(text), quoted, options.now());
  } catch (error) {
    if (timeout.aborted) return failure(`no answer within ${options.timeout} s`, "service", false);
    if (options.signal.aborted) return failure("the tick ended before the answer", "tick", false);
    if (error instanceof BodyError)
      return failure(quoted(`status 200, but ${error.message}`), "answer", false);
    const { reason, retry } = explainConnection(error);
    return failure(quoted(reason), "service", retry);
  }
}

function judgeJson(body: Buffer, quoted: (text: string) => string): Attempt {
  const fault = findJsonFault(body);
  return fault === undefined
    ? { kind: "answer", body }
    : failure(`status 200, but ${describeFault(fault, body, quoted)}`, "answer", false);
}

function describeFault(fault: JsonFault, body: Buffer, quoted: (text: string) => string): string {
  switch (fault.kind) {
    case "syntax":
      return `not JSON: ${quoted(body.toString()) || "the body is empty"}`;
    case "depth":
      return `its JSON is nested deeper than ${fault.limit} levels`;
    case "names":
      return `its JSON has an object of more than ${fault.limit} names`;
    case "repeated":
      return `its JSON has the name "${quoted(fault.name)}" twice in one object`;
    case "infinite":
      return `its JSON holds the number ${quoted(fault.number)}, which is too large to be read`;
  }
}

function refused(
  status: number,
  headers: ReplyHeaders,
  text: string,
  quoted: (text: string) => string,
  now: number,
): Failure {
  if (status >= 300 && status < 400) {
    const target = quoted(header(headers.location) ?? "nowhere");
    return failure(
      `${status} redirect to ${target}; set base_url to where the service is`,
      "answer",
      false,
    );
  }
  const unwell = status === 429 || status >= 500;
  const reason = `status ${status}${text === "" ? "" : ` ${text}`}`;
  const refusal = failure(reason, unwell ? "service" : "answer", unwell);
  const wait = parseRetryAfter(header(headers["retry-after"]), now);
  return wait === undefined ? refusal : { ...refusal, wait };
}

function header(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}

function failure(reason: string, blame: Blame, retry: boolean): Failure {
  return { kind: "failure", reason, blame, retry };
}
