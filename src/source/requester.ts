import type { RequestOptions } from "./client/client.ts";
import type { Query } from "./query.ts";

export interface SourceRequest extends Pick<RequestOptions, "as" | "timeout" | "attempts"> {
  /** Of an XML-RPC service the name of the method, which no URL contains. */
  readonly path: string;
  readonly query: Query;
  /** Sent with POST, and not with GET. */
  readonly post?: PostBody | undefined;
  /** A 404 of the service itself is a response too. */
  readonly allow404?: boolean | undefined;
  /** It may never be needed: sent without retries, its error counts nowhere. Send it again when it is needed. */
  readonly ahead?: boolean | undefined;
  /** Sent although its URL was already requested in this tick, but only once. */
  readonly fresh?: boolean | undefined;
  /** Aborted when the caller does not need it any more; a POST is not ended by it. */
  readonly signal?: AbortSignal | undefined;
  /** If it fails, only the keys that begin with this are not known; without it, none is. */
  readonly scope?: string | undefined;
}

export function methodOf({ post }: SourceRequest): "GET" | "POST" {
  return post === undefined ? "GET" : "POST";
}

export interface PostBody {
  readonly text: string;
  /** The content type; undefined if there is no body. */
  readonly type?: string | undefined;
}

export interface SourceResponse {
  /** 200, or 404 with `allow404`. */
  readonly status: number;
  /** UTF-8; of a 404 only its beginning. */
  readonly body: Buffer;
  readonly headers: ResponseHeaders;
}

/** What is used of a response's headers. */
export interface ResponseHeaders {
  /** `Content-Type`, as it came. */
  readonly type?: string | undefined;
  /** `Link`, as it came. */
  readonly link?: string | undefined;
  /** `X-Total-Count` or `X-Total`, as it came: items of the whole list. */
  readonly total?: string | undefined;
  /** `Date`, in epoch seconds. */
  readonly date?: number | undefined;
}

/** The values of `kind` in `[sources.NAME]`. */
export type SourceKindName = "http" | "xmlrpc" | "spool";

/** One service as the client sees it: an `HttpSource`, or in a worker what stands for it. */
export interface Requester {
  /** Which methods of the client are for it. */
  readonly kind: SourceKindName;
  /** Throws FetchError. */
  request(request: SourceRequest): Promise<SourceResponse>;
  /** Reports that a response with status 200 could not be used: the request counts as failed. */
  reportInvalid?(request: SourceRequest, reason: string): void;
}
