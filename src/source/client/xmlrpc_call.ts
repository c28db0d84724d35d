import { quote } from "../../text/describe.ts";
import type { JsonValue } from "../../text/json.ts";
import { strictJson } from "../../text/strict_json.ts";
import { ATTEMPTS } from "../http/retry.ts";
import type { SourceRequest } from "../requester.ts";
import { writeCall } from "../xmlrpc/write_call.ts";
import type { CallOptions } from "./client.ts";
import { namesFault, sizeFault, valuesFault } from "./request_options.ts";

const OPTIONS = ["timeout", "attempts", "scope"];
/** As XML-RPC has it; the message of a failed call relies on it. */
const METHOD_NAME = /^[\w.:/-]{1,200}$/;
/** What XML cannot contain, not even escaped. */
const NOT_IN_XML = /[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u;

/** What a call sends, or what is wrong with its arguments: a module's types prove nothing at run time. */
export function parseCall(
  method: string,
  params: readonly unknown[],
  options: CallOptions,
): SourceRequest | string {
  if (typeof method !== "string" || !METHOD_NAME.test(method))
    return `the method is ${quote(method)}, not a name such as "supervisor.getState"`;
  if (!Array.isArray(params))
    return `the parameters of ${method} are ${quote(params)}, not a list such as [${quote(params)}]`;
  const json = strictJson(params);
  if (!json.ok) return `the parameters of ${method} are not JSON values: ${json.error}`;
  const fault = namesFault("call", options, OPTIONS) ?? valuesFault(options);
  if (fault !== undefined) return fault;
  const values: readonly JsonValue[] = JSON.parse(json.text);
  const text = writeCall(method, values);
  const code = NOT_IN_XML.exec(text)?.[0].codePointAt(0);
  if (code !== undefined)
    return `the parameters of ${method} have the character U+${code.toString(16).toUpperCase().padStart(4, "0")}, which XML cannot contain`;
  const { timeout, attempts = ATTEMPTS.GET, scope } = options;
  const post = { text, type: "text/xml" };
  return sizeFault(text) ?? { path: method, query: {}, as: "text", post, timeout, attempts, scope };
}
