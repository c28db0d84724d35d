import { quote } from "../../text/describe.ts";
import { BodyError } from "../fetch_error.ts";

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
  const found = new Set<string>();
  for (const { target, relations } of readLinks(header ?? ""))
    if (relations.includes(relation)) found.add(target);
  const [target, other] = found;
  if (other === undefined) return target;
  throw new BodyError(`the Link header has two links with rel="${relation}": ${quote(header)}`);
}

interface Link {
  readonly target: string;
  /** In lower case. */
  readonly relations: readonly string[];
}

function readLinks(header: string): readonly Link[] {
  const links: Link[] = [];
  LINK.lastIndex = 0;
  while (/[^\s,]/.test(header.slice(LINK.lastIndex))) {
    const match = LINK.exec(header);
    if (match === null) throw new BodyError(`the Link header cannot be read: ${quote(header)}`);
    const [, target = "", params = ""] = match;
    links.push({ target: target.trim(), relations: relationsIn(params) });
  }
  return links;
}

/** Only the first `rel` of a link counts. */
function relationsIn(params: string): readonly string[] {
  for (const [, name, quoted, token = ""] of params.matchAll(PARAMS))
    if (name?.toLowerCase() === "rel") {
      const text = quoted?.replaceAll(/\\(.)/g, "$1") ?? token;
      return text.toLowerCase().split(/\s+/);
    }
  return [];
}
