import { isJsonObject, type JsonObject } from "../../../text/json.ts";
import { findLink } from "./link_header.ts";
import type { PageResponse } from "./paging_style.ts";

/** What to write for a response that says how its list continues, and where it says so. */
export function fittingCall(
  response: PageResponse,
  otherwise = "use client.get if it does not page",
): string {
  const { value, headers } = response;
  const call = callForBody(value);
  if (call !== undefined || findLink(headers.link, "next") === undefined) return call ?? otherwise;
  const list = isJsonObject(value) ? `, list: "${listIn(value) ?? "…"}"` : "";
  return `it has a Link header with rel="next": write { style: "link"${list} }`;
}

/** The same, as far as the body shows; else undefined. */
export function callForBody(value: unknown): string | undefined {
  if (!isJsonObject(value)) return undefined;
  const { next, previous, results, links, next_before_id: cursor } = value;
  const list = listIn(value);
  if (list === undefined) return undefined;
  if (next !== undefined && Array.isArray(results))
    return 'it has next and results: write { style: "next" }';
  if (next !== undefined && previous !== undefined)
    return `it has next and previous: write { style: "next", list: "${list}" }`;
  if (isJsonObject(links) && links.next !== undefined)
    return `it has links.next: write { style: "links.next", list: "${list}" }`;
  if (cursor === undefined) return undefined;
  return `it has next_before_id: write { style: "keyset", list: "${list}" }`;
}

/** The key of the only list, "…" if there are several; undefined if there is none. */
function listIn(value: JsonObject): string | undefined {
  const [key, other] = Object.keys(value).filter((name) => Array.isArray(value[name]));
  const isPlain = key === undefined || /^[\w.-]{1,40}$/.test(key);
  return isPlain && other === undefined ? key : "…";
}
