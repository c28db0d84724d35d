import { createHash } from "node:crypto";
import type { SourceRequest } from "../requester.ts";

/** The same for requests that ask for the same: of a GET it is the URL, unless the module set more. */
export function requestKey(
  url: string,
  { as = "json", post, timeout, attempts }: SourceRequest,
): string {
  const rest = [as === "json" ? "" : as, timeout, attempts, post && digest(post)];
  return `${url} ${rest.join(" ")}`.trimEnd();
}

/** A body has up to a megabyte. */
function digest(body: object): string {
  return createHash("sha256").update(JSON.stringify(body)).digest("base64");
}
