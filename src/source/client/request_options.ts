import { quote } from "../../text/describe.ts";
import { hint } from "../../text/nearest.ts";
import { type StrictJson, strictJson } from "../../text/strict_json.ts";
import type { SourceRequest } from "../requester.ts";
import type { RequestOptions } from "./client.ts";

/** MiB. */
const MAX_BODY = 1;
const MAX_ATTEMPTS = 10;
/** Seconds, as for `request_timeout`. */
const MAX_TIMEOUT = 3600;
const METHODS: readonly unknown[] = [undefined, "GET", "POST"];
const KNOWN = ["query", "method", "body", "type", "as", "timeout", "attempts", "scope"];

/** What a request sends for these options, or what is wrong with them; its path and query are checked elsewhere. */
export function parseRequest(path: string, options: RequestOptions): SourceRequest | string {
  const fault = namesFault("request", options, KNOWN) ?? valuesFault(options);
  if (fault !== undefined) return fault;
  const { query = {}, method = "GET", body, type, as, timeout, attempts, scope } = options;
  const request = { path, query, as, timeout, attempts, scope, allow404: true };
  if (method === "GET") return request;
  const json = textOf(body);
  if (!json.ok) return json.error;
  return { ...request, post: { text: json.text, type: type ?? defaultType(body) } };
}

/** A module's types prove nothing at run time. */
export function namesFault(
  caller: string,
  options: object,
  known: readonly string[],
): string | undefined {
  if (Object.prototype.toString.call(options) !== "[object Object]")
    return `the options are ${quote(options)}, not an object such as { timeout: 5 }`;
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown === undefined) return undefined;
  return `${caller} has no option ${quote(unknown)}${hint(unknown, known)}`;
}

/** What is wrong with the values of options that exist. */
export function valuesFault(options: RequestOptions): string | undefined {
  const { method, body, type, as, timeout, attempts, scope } = options;
  if (!METHODS.includes(method)) return `method is ${quote(method)}; it must be "GET" or "POST"`;
  if (body !== undefined && method !== "POST")
    return 'a GET has no body; write method: "POST", or use query';
  if (type !== undefined && body === undefined)
    return "type is the content type of a body; this request has none";
  if (type !== undefined && !(typeof type === "string" && /^[\x21-\x7e][\x20-\x7e]*$/.test(type)))
    return `type is ${quote(type)}, not a content type such as "application/sparql-query"`;
  if (as !== undefined && as !== "json" && as !== "text")
    return `as is ${quote(as)}; it must be "json" or "text"`;
  if (timeout !== undefined && !isWithin(timeout, Number.MIN_VALUE, MAX_TIMEOUT))
    return `timeout is ${quote(timeout)}; it must be a number of seconds above 0, at most ${MAX_TIMEOUT}`;
  if (
    attempts !== undefined &&
    !(Number.isInteger(attempts) && isWithin(attempts, 1, MAX_ATTEMPTS))
  )
    return `attempts is ${quote(attempts)}; it must be a whole number from 1 to ${MAX_ATTEMPTS}`;
  if (scope !== undefined && (typeof scope !== "string" || scope === ""))
    return `scope is ${quote(scope)}; it must be the beginning of dedupe keys, such as "task:"`;
  return undefined;
}

function isWithin(value: unknown, min: number, max: number): boolean {
  return typeof value === "number" && value >= min && value <= max;
}

function defaultType(body: RequestOptions["body"]): string | undefined {
  if (body === undefined) return undefined;
  return typeof body === "string" ? "text/plain; charset=utf-8" : "application/json";
}

function textOf(body: RequestOptions["body"]): StrictJson {
  const isText = typeof body === "string" || body === undefined;
  const json: StrictJson = isText ? { ok: true, text: body ?? "" } : strictJson(body);
  if (!json.ok) return { ok: false, error: `the body is not a JSON value: ${json.error}` };
  const error = sizeFault(json.text);
  return error === undefined ? json : { ok: false, error };
}

/** Why a text is too long to be sent. */
export function sizeFault(body: string): string | undefined {
  const bytes = Buffer.byteLength(body);
  if (bytes <= MAX_BODY * 2 ** 20) return undefined;
  return `the body has ${bytes} bytes; the limit is ${MAX_BODY} MiB`;
}
