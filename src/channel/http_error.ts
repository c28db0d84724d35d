import type { DeliveryError } from "../core/delivery.ts";
import { PROXY_LOGIN, waitingHelps } from "../core/http_status.ts";
import { attempt } from "../text/attempt.ts";
import { excerpt } from "../text/excerpt.ts";
import { parseRetryAfter } from "../text/http_date.ts";
import type { HttpResponse, PostFailure, PostTarget } from "./http_post.ts";

/** Seconds to wait after a 429 that does not say how long. */
const DEFAULT_WAIT = 30;
const MAX_WAIT = 86_400;

/** A gateway may have passed the request on before it failed. */
const OF_GATEWAYS = [502, 504];

/** What to do where waiting does not help. The path and query of the target are secret. */
const REMEDIES: { readonly [status: number]: string } = {
  401: "check the hook URL, and the secret or headers that the receiver expects",
  403: "check the hook URL, and the secret or headers that the receiver expects",
  404: "check the hook URL",
  405: "check the hook URL",
  407: PROXY_LOGIN,
  410: "the receiver no longer exists: set a new hook URL, or remove the channel",
};

/** Why a POST delivered nothing; undefined for a response with status 2xx. `now` in epoch seconds. */
export function postError(
  result: HttpResponse | PostFailure,
  target: PostTarget,
  now: number,
): DeliveryError | undefined {
  if ("reason" in result) return httpError(target, result.reason, result);
  const { status, headers, text } = result;
  if (status >= 200 && status < 300) return undefined;
  const found = `status ${status} ${excerpt(text)}`.trim();
  const retryable = waitingHelps(status);
  if (status >= 300 && status < 400 && headers.location !== undefined) {
    const { origin } = attempt(() => new URL(String(headers.location), target.url), target.url);
    return httpError(target, `status ${status}, a redirect to ${origin}; set the final address`);
  }
  if (status === 413) return httpError(target, found, { scope: "size" });
  if (!retryable) {
    const remedy = REMEDIES[status];
    // Such as 400 and 422: the receiver rejects this one.
    const scope =
      remedy === undefined && status >= 400 && status < 500 ? "notification" : "channel";
    return httpError(target, `${found}; ${remedy ?? "check the hook URL and settings"}`, { scope });
  }
  const asked = parseRetryAfter(headers["retry-after"]?.toString(), now);
  // "0" and a time that is over name none: the engine would repeat the request without a pause.
  const wait = asked || (status === 429 ? DEFAULT_WAIT : undefined);
  return httpError(target, found, {
    retryable,
    mayBeDelivered: OF_GATEWAYS.includes(status),
    ...(wait !== undefined && { retryAfter: Math.min(wait, MAX_WAIT) }),
  });
}

/** An error of the whole channel, and without a remedy of its own, unless `more` says otherwise. */
export function httpError(
  { url, proxy }: PostTarget,
  reason: string,
  more: Partial<DeliveryError> = {},
): DeliveryError {
  const via = proxy === undefined ? "" : ` (through the proxy ${proxy.origin})`;
  const { scope = "channel", retryable = false, mayBeDelivered = false, retryAfter } = more;
  const message = `POST to ${url.origin}: ${reason}${via}`;
  return {
    message,
    retryable,
    scope,
    mayBeDelivered,
    ...(retryAfter !== undefined && { retryAfter }),
  };
}
