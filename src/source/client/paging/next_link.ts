import { unescape as decode } from "node:querystring";
import { BodyError } from "../../fetch_error.ts";
import type { Query } from "../../query.ts";
import { kindOf } from "./page_items.ts";

const ORIGIN = "http://relative.invalid";

/** Only the query of the link is used, so that no response can send the engine and its token to another host. */
export function followLink(link: unknown, name: string, query: Query): Query {
  if (typeof link !== "string" || !URL.canParse(link, ORIGIN))
    throw new BodyError(`${name} is ${kindOf(link)}, not a link or null`);
  return { ...query, ...Object.fromEntries(new URL(link, ORIGIN).searchParams) };
}

/**
 * The same, for a link that must lead to the list's own path: with the query of another list, this one would look
 * complete. Before it, the link may have the path of the base URL, or that of the service behind a proxy.
 */
export function followOwnLink(link: unknown, name: string, query: Query, path: string): Query {
  const next = followLink(link, name, query);
  const list = new URL(`${ORIGIN}/${path.replace(/^\/+/, "")}`);
  const [own, target] = [plainPath(list), plainPath(new URL(String(link), list))];
  if (`/${target}`.endsWith(`/${own}`) || own === "") return next;
  throw new BodyError(
    `${name} leads to ${kindOf(`/${target}`)}, not to the list's own path /${own}; request its pages with client.get, or with { style: "page" } or { style: "offset" }`,
  );
}

/** Decoded, because services encode different characters, and without the outer slashes. */
function plainPath({ pathname }: URL): string {
  return decode(pathname).replace(/^\/+|\/+$/g, "");
}
