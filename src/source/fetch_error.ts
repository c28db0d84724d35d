import { cut } from "../text/describe.ts";

/**
 * A request without a usable response. Modules may catch it; the outcome is incomplete all the same,
 * because what was not read cannot prove that an entity is gone.
 */
export class FetchError extends Error {
  override readonly name = "FetchError";
}

/** A response with status 200 that cannot be used; the message is the reason. */
export class BodyError extends Error {}

const URL_SHOWN = 300;

/** Every failed request has this message; core/source_state.ts recognizes it. */
export function fetchError(path: string, source: string, reason: string): FetchError {
  return new FetchError(`GET ${cut(path, URL_SHOWN)} from ${source}: ${reason}`);
}
