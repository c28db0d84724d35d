import type { JsonValue } from "../../text/json.ts";
import { BodyError } from "../fetch_error.ts";
import { parseJson } from "../parse_json.ts";
import { childrenOf, readXml } from "./read_xml.ts";
import { foldValue, paramJson } from "./value_json.ts";

/** What a service reads in a call. */
export interface Call {
  readonly method: string;
  readonly params: JsonValue;
}

/** Reads the body of a call. Throws BodyError for what is none. */
export function readCall(body: string): Call {
  const root = readXml(body, foldValue);
  const [method, params] = root.children;
  if (root.name !== "methodCall" || method?.name !== "methodName")
    throw new BodyError(`the root is ${root.name}, not a methodCall with its methodName`);
  const list = params === undefined ? [] : childrenOf(params, "param").map(paramJson);
  return { method: method.text.trim(), params: parseJson(`[${list.join(",")}]`) };
}
