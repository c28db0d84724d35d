import { quote } from "../../../text/describe.ts";
import { BodyError } from "../../fetch_error.ts";

/** `; name=token`, `; name="text"`, `; name` or nothing between two semicolons. */
const PARAM = String.raw`\s*;(?:\s*([^\s=;,"]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;,"]*)))?)?`;
const LINK = new RegExp(String.raw`[\s,]*<([^>]*)>((?:${PARAM})*)\s*(?=,|$)`, "y");
const PARAMS = new RegExp(PARAM, "g");

/**
 * The target of the link with this relation in a `Link` header (RFC 8288, section 3). Throws BodyError for a header
 * that cannot be read or has two of them: a link that is overlooked would look like the end of the list.
 *
 * The parsers on npm overlook links: http-link-header 1.1.4 those after `rel="prev" ,` or a parameter without a value.
 */
export function findLink(header: string | undefined, relation: string): string | undefined {
  const text = header ?? "";
  const found = new Set<string>();
  LINK.lastIndex = 0;
  while (/[^\s,]/.test(text.slice(LINK.lastIndex))) {
    const match = LINK.exec(text);
    if (match === null) throw new BodyError(`the Link header cannot be read: ${quote(text)}`);
    const [, target = "", params = ""] = match;
    if (relationsIn(params).includes(relation)) found.add(target.trim());
  }
  const [target, other] = found;
  if (other === undefined) return target;
  throw new BodyError(`the Link header has two links with rel="${relation}": ${quote(text)}`);
}

/** In lower case. Only the first `rel` of a link counts. */
function relationsIn(params: string): readonly string[] {
  for (const [, name, quoted, token = ""] of params.matchAll(PARAMS))
    if (name?.toLowerCase() === "rel") {
      const text = quoted?.replaceAll(/\\(.)/g, "$1") ?? token;
      return text.toLowerCase().split(/\s+/);
    }
  return [];
}
