import { excerpt } from "../../text/excerpt.ts";
import { isJsonObject, type JsonValue } from "../../text/json.ts";
import { BodyError } from "../fetch_error.ts";
import { parseJson } from "../parse_json.ts";
import { type Element, onlyChild, readXml } from "./read_xml.ts";
import { foldValue, jsonOf, paramJson } from "./value_json.ts";

/** What the service says to a call. `T` is the author's claim. */
export type CallAnswer<T = JsonValue> =
  | { readonly ok: true; readonly value: T }
  /** A fault: it does not do what the call asks for. */
  | { readonly ok: false; readonly code: number; readonly reason: string };

/** Reads the body of a response. Throws BodyError for what is not XML-RPC. */
export function readAnswer<T = JsonValue>(body: string): CallAnswer<T> {
  if (body.trim() === "") throw new BodyError("not XML-RPC: the body is empty");
  try {
    return answerOf<T>(readXml(body, foldValue));
  } catch (error) {
    if (!(error instanceof BodyError)) throw error;
    throw new BodyError(`not XML-RPC (${error.message}): ${excerpt(body)}`);
  }
}

function answerOf<T>(root: Element): CallAnswer<T> {
  if (root.name !== "methodResponse")
    throw new BodyError(`the root is ${root.name}, not methodResponse`);
  const content = onlyChild(root);
  if (content.name !== "fault")
    return {
      ok: true,
      value: parseJson<T>(paramJson(onlyChild(onlyChild(root, "params"), "param"))),
    };
  const fault = parseJson(jsonOf(onlyChild(content)));
  const { faultCode: code, faultString: reason } = isJsonObject(fault) ? fault : {};
  if (typeof code !== "number" || typeof reason !== "string")
    throw new BodyError("a fault without faultCode and faultString");
  return { ok: false, code, reason };
}
