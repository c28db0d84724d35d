import { pipeline, type Readable, type Transform } from "node:stream";
import { createBrotliDecompress, createGunzip, createInflate } from "node:zlib";
import { type Dispatcher, request } from "undici";
import { excerpt } from "./excerpt.ts";
import { type Attempt, isConnectionCode, parseRetryAfter } from "./retry.ts";

export interface HttpOptions {
  readonly dispatcher: Dispatcher;
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
  const timeout = AbortSignal.timeout(options.timeout * 1000);
  try {
    const { statusCode, headers, body } = await request(url, {
      method: "GET",
      headers: options.headers,
      dispatcher: options.dispatcher,
      signal: AbortSignal.any([timeout, options.signal]),
    });
    const text = await readBody(body, header(headers["content-encoding"]), options.maxBody);
    return judge(statusCode, headers, text, options);
  } catch (error) {
    if (timeout.aborted)
      return { kind: "failure", reason: `no answer within ${options.timeout} s`, retry: false };
    if (options.signal.aborted)
      return { kind: "failure", reason: "the tick ended before the answer", retry: false };
    return connectionFailure(error, options.redact);
  }
}

function judge(
  status: number,
  headers: Headers,
  text: string,
  { redact, now }: HttpOptions,
): Attempt {
  if (status >= 300 && status < 400) {
    const target = excerpt(redact(header(headers.location) ?? "nowhere"));
    return failure(`${status} redirect to ${target}; set base_url to where the service is`, false);
  }
  if (status !== 200) {
    const quoted = excerpt(redact(text));
    const reason = `status ${status}${quoted === "" ? "" : ` ${quoted}`}`;
    const wait = parseRetryAfter(header(headers["retry-after"]), now());
    const retry = status === 429 || status >= 500;
    return { kind: "failure", reason, retry, ...(wait === undefined ? {} : { wait }) };
  }
  return isJson(text)
    ? { kind: "answer", body: text }
    : failure(`status 200, but not JSON: ${excerpt(redact(text))}`, false);
}

async function readBody(
  body: Dispatcher.ResponseData["body"],
  encoding: string | undefined,
  limit: number,
): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of unpack(body, encoding)) {
    if (!(chunk instanceof Uint8Array)) throw new TypeError("a body chunk is not bytes");
    size += chunk.length;
    // Leaving the loop destroys the stream, so that the rest is neither read nor unpacked.
    if (size > limit) throw new BodyTooLarge(limit);
    chunks.push(Buffer.from(chunk));
  }
  return Buffer.concat(chunks).toString("utf8");
}

class BodyTooLarge extends Error {
  constructor(limit: number) {
    super(`the body is larger than ${Math.round(limit / 2 ** 20)} MiB`);
  }
}

function unpack(
  body: Dispatcher.ResponseData["body"],
  encoding: string | undefined,
): AsyncIterable<unknown> {
  switch (encoding?.toLowerCase()) {
    case undefined:
    case "":
    case "identity":
      return body;
    case "gzip":
    case "x-gzip":
      return through(body, createGunzip());
    case "deflate":
      return through(body, createInflate());
    case "br":
      return through(body, createBrotliDecompress());
    default:
      // What cannot be read is not waited for; that it ends early is then no news.
      body.on("error", () => {});
      body.destroy();
      throw new Error(
        `the body is packed with ${JSON.stringify(encoding)}, which was not asked for`,
      );
  }
}

/** A broken body ends the unpacked stream with its error, and leaving that stream ends the body. */
function through(body: Readable, unpacker: Transform): Readable {
  pipeline(body, unpacker, () => {});
  return unpacker;
}

function connectionFailure(error: unknown, redact: (text: string) => string): Attempt {
  const { code, message } = explain(error);
  const text = message.includes(code) ? message : `${code} ${message}`.trim();
  return failure(excerpt(redact(text)), isConnectionCode(code));
}

/** Code and words of an error; undici wraps several connection attempts into one AggregateError. */
function explain(error: unknown): { code: string; message: string } {
  if (error instanceof AggregateError && error.errors.length > 0) return explain(error.errors[0]);
  if (!(error instanceof Error)) return { code: "", message: String(error) };
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  return { code, message: error.message };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

type Headers = Dispatcher.ResponseData["headers"];

function header(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}

function failure(reason: string, retry: boolean): Attempt {
  return { kind: "failure", reason, retry };
}
