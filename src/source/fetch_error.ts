import { cut } from "../text/describe.ts";

/**
 * Why a request has no usable response. `status`: the service's status is not 200. `response`: the status is 200, but the
 * response cannot be used, or it is a 404 that is not the service's own. `circuit open`: it was not sent, because the service is down.
 */
export type FailureKind = "timeout" | "connection" | "status" | "response" | "circuit open";

/** A request that failed. */
export interface RequestFailure {
  readonly kind: FailureKind;
  /** The HTTP status, if there was a response; never that of a 404 that is not the service's own. */
  readonly status?: number | undefined;
  /** The beginning of the response's body as text; empty without a response. */
  readonly body?: string | undefined;
  /** Why, for people. */
  readonly reason: string;
}

/**
 * A request without a usable response. Modules may catch it; the outcome is incomplete all the same,
 * because what was not read cannot prove that an entity is gone.
 */
export class FetchError extends Error {
  override readonly name = "FetchError";
  readonly kind: FailureKind;
  /** The HTTP status, if there was a response; never that of a 404 that is not the service's own. */
  readonly status: number | undefined;
  /** The beginning of the response's body as text; empty without a response. */
  readonly body: string;

  constructor({ kind, status, body = "", reason }: RequestFailure) {
    super(reason);
    this.kind = kind;
    this.status = status;
    this.body = body;
  }
}

/** A response with status 200 that cannot be used; the message is the reason. */
export class BodyError extends Error {}

const URL_SHOWN = 300;

/** What failed. */
export interface FailedCall {
  /** With its query. */
  readonly path: string;
  readonly source: string;
  readonly method?: "GET" | "POST";
}

/** Every failed request has this message; core/source_state.ts recognizes it. */
export function fetchError(call: FailedCall, failure: RequestFailure): FetchError {
  const { path, source, method = "GET" } = call;
  const reason = `${method} ${cut(path, URL_SHOWN)} from ${source}: ${failure.reason}`;
  return new FetchError({ ...failure, reason });
}
