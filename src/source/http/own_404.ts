import { excerpt } from "../../text/excerpt.ts";
import { beginsLikeJson } from "../parse_json.ts";

/**
 * The content types of a service's responses with status 200 in one tick. They tell its own 404, which says that there is
 * no such thing, from that of a proxy, which says nothing about it.
 */
export class ResponseTypes {
  readonly #json = new Set<string>();
  readonly #text = new Set<string>();

  add(type: string | undefined, as: "json" | "text"): void {
    (as === "json" ? this.#json : this.#text).add(mediaType(type));
  }

  /**
   * Whether a 404 with this content type and body is the service's own, as the response to such a request: a page that
   * some alarm reads as text makes no page an answer about JSON.
   */
  isOwn404(type: string | undefined, body: string, as: "json" | "text"): boolean {
    if (body.trim() === "") return false;
    const media = mediaType(type);
    // Many a service sends its JSON as text/html, the type of a proxy's page.
    const isJson = /^application\/(json|[^/]+\+json)$/.test(media) || this.#json.has(media);
    if (isJson) return beginsLikeJson(Buffer.from(body));
    return as === "text" && this.#text.has(media);
  }
}

/** Why a 404 that is not the service's own is a failed request. */
export function foreign404(type: string | undefined, body: string): string {
  const media = mediaType(type) || "no content type,";
  const shown = excerpt(body) || "with an empty body";
  return `status 404, but not from the service itself: ${media} ${shown}; check base_url, and any proxy in front of it`;
}

/** In lower case, without parameters; empty if there is none. */
function mediaType(type = ""): string {
  return type.replace(/;.*/s, "").trim().toLowerCase();
}
