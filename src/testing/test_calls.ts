import type { SourceRequest } from "../source/requester.ts";
import { writeAnswer, writeFault } from "../source/xmlrpc/write_answer.ts";
import { quote, showName } from "../text/describe.ts";
import { isJsonObject, type JsonValue } from "../text/json.ts";
import { hint } from "../text/nearest.ts";
import { strictJson } from "../text/strict_json.ts";
import type { ResponsesByPath, TestRequest } from "./test_responses.ts";

/** Where the responses of an XML-RPC service have what answers the calls of a method. */
export function callKey(method: string): string {
  return `${method}()`;
}

/** What a source of a test is, by its responses: no path ends in a pair of parentheses. */
export function kindOf(responses: ResponsesByPath): "http" | "xmlrpc" {
  return [...responses.keys()].some((key) => key.endsWith("()")) ? "xmlrpc" : "http";
}

/** A call that has arrived: its method is the path, and its parameters are the body. */
export async function receivedCall(source: string, body: string): Promise<TestRequest> {
  const { readCall } = await import("../source/xmlrpc/read_call.ts");
  const { method, params } = readCall(body);
  return { source, method: "POST", path: method, query: {}, body: params };
}

/** The body of a response: a value, or a fault as XML-RPC writes it. */
export function callAnswer(value: unknown): string {
  const json = strictJson(value);
  if (!json.ok) throw new Error(`not a value that XML-RPC has: ${json.error}`);
  const plain: JsonValue = JSON.parse(json.text);
  if (!isJsonObject(plain) || Object.keys(plain).toSorted().join() !== "faultCode,faultString")
    return writeAnswer(plain);
  return writeFault(Number(plain.faultCode), String(plain.faultString));
}

/** What to do about a call that nothing answers; undefined if something does. */
export function missingCall(
  source: string,
  { path: method }: Pick<SourceRequest, "path">,
  responses: ResponsesByPath,
): string | undefined {
  const key = callKey(method);
  if (responses.has(key)) return undefined;
  return `detect called ${method} of ${source}, which is not in responses${hint(key, [...responses.keys()])}. Add responses: { ${showName(source)}: { ${quote(key)}: … } }.`;
}
