import type { Verdict } from "../../author/expectations/expectation.ts";
import type { FiringEvent, Remembered } from "../../core/model.ts";
import type { SpoolLine } from "../../spool/spool_line.ts";
import type { JsonObject, JsonValue } from "../../text/json.ts";
import type { FailureKind, RequestFailure } from "../fetch_error.ts";
import type { Query } from "../query.ts";
import type { Paging } from "./paging.ts";

/**
 * What `detect` gets: requests to a service, the time of the tick, and a way to report what was not seen. A type argument
 * `T` is the author's claim about a response, which nothing checks.
 */
export interface AlarmClient {
  /** Epoch seconds of the tick; the same for all alarms of the tick. */
  readonly now: number;
  /** Aborted when the alarm's time is up. */
  readonly signal: AbortSignal;
  /**
   * One JSON response; an integer beyond ±(2^53 - 1) in it is a string of its digits. Throws FetchError after the
   * retries, and Error for a wrong argument; the outcome is then incomplete even if the module catches it.
   */
  get<T = JsonValue>(path: string, query?: Query): Promise<T>;
  /**
   * Like `get`, but returns undefined for a 404 of the service itself, and the outcome stays complete. A 404 is the
   * service's own if it is JSON, or of the content type of its other responses; any other is a failed request.
   */
  find<T = JsonValue>(path: string, query?: Query): Promise<T | undefined>;
  /**
   * The items of a list, page after page: `{ items, has_more, next_before_id }` (PanDA) unless `paging`
   * says otherwise. Throws FetchError like `get`, and for a list that does not continue properly. Each page is
   * requested as soon as the previous one has arrived. A page that the module does not reach has no effect,
   * even if its request fails. A list that ends before the service's own count is read again for what was missing;
   * the outcome is incomplete if it is too short again.
   */
  pages<T = JsonObject>(
    path: string,
    query?: Query,
    paging?: Paging,
  ): AsyncGenerator<T, void, undefined>;
  /**
   * Of a source with kind = "spool": the events that this alarm has not read yet, in the order of `at`; those of one file
   * as they were written. Each comes once, however often it was written. It counts as read when the module asks for the
   * one after it, unless the outcome fails. A service without a recent line, and lost events, make the outcome incomplete.
   * Throws FetchError if the folder cannot be read.
   */
  pages(): AsyncGenerator<SpoolEvent, void, undefined>;
  /**
   * One request whose failure is a value. Without `scope` a failure makes the outcome incomplete, as with `get`; the
   * service's own 404 does not, as with `find`. Throws Error for a wrong argument.
   */
  request(path: string, options: TextOptions): Promise<RequestOutcome<string>>;
  request<T = JsonValue>(path: string, options?: RequestOptions): Promise<RequestOutcome<T>>;
  /**
   * One call of an XML-RPC service, a source with `kind = "xmlrpc"`. What the service answers is a value, also where it is a
   * fault, and leaves the outcome complete. A failed request is a value too, with the effects that it has in `request`. A
   * call is a question, which may be repeated. Throws Error for a wrong argument.
   */
  call<T = JsonValue>(
    method: string,
    params?: readonly unknown[],
    options?: CallOptions,
  ): Promise<CallOutcome<T>>;
  /** The client for another configured service, `[sources.<name>]`. Throws Error for an unknown name. */
  source(name: string): AlarmClient;
  /**
   * The dedupe keys of this alarm's active events. Use it where a list may omit entities that still meet the
   * condition: request each one that was not seen.
   */
  firing(): Promise<readonly string[]>;
  /** This alarm's active events. */
  firingEvents(): Promise<readonly FiringEvent[]>;
  /** What the latest tick with `remember` remembered; undefined if there was none. */
  previous<T = JsonValue>(): Promise<Remembered<T> | undefined>;
  /**
   * Keeps a JSON value of at most 256 KiB for `previous` of the next ticks. The last call of a run counts. It is kept
   * unless the outcome failed; a run that writes nothing (`alarm try`, `--plan`) keeps nothing. A value that is too large
   * makes the outcome incomplete, and the one before stays.
   */
  remember(value: unknown): void;
  /**
   * Reports that the module could not see everything: nothing is cleared in this tick. With a prefix, only the events
   * whose keys begin with it stay as they are; that is an error of the alarm unless the module detects or clears
   * something under that prefix.
   */
  incomplete(reason: string, prefix?: string): void;
  /** Notes what is worth knowing and no error: the run shows it, and the outcome stays complete. */
  note(text: string): void;
  /**
   * What became of the expectations of one entity: `seen` of `follow`. `alarm show --graph --key` shows it; nothing comes of
   * it in a tick.
   */
  states(
    entity: string,
    verdicts: readonly Pick<Verdict<unknown>, "expectation" | "state">[],
  ): void;
  /** Writes a line to the engine's log, under the alarm's name. */
  log(message: string): void;
}

/** One event of a spool. */
export type SpoolEvent = Omit<SpoolLine, "skipped">;

export interface RequestOptions {
  readonly query?: Query | undefined;
  /** POST is for questions, such as a search. It is not shared between alarms, and sent once unless `attempts` says more. */
  readonly method?: "GET" | "POST" | undefined;
  /** Of a POST: a text is sent as it is, any other JSON value as JSON. */
  readonly body?: unknown;
  /** The content type of the body; else `text/plain; charset=utf-8` for a text, and `application/json`. */
  readonly type?: string | undefined;
  /** What `value` is: parsed JSON, or with "text" the body as it came. */
  readonly as?: "json" | "text" | undefined;
  /** Seconds for one attempt; else the `request_timeout` of the source. */
  readonly timeout?: number | undefined;
  /** 1 to 10; else 4 for GET and 1 for POST. */
  readonly attempts?: number | undefined;
  /** If the request fails, only the events whose keys begin with this stay as they are: see `incomplete`. */
  readonly scope?: string | undefined;
}

/** Of a request whose response is not read as JSON. */
export interface TextOptions extends RequestOptions {
  readonly as: "text";
}

/** What became of a request. */
export type RequestOutcome<T> =
  | {
      readonly ok: true;
      readonly status: number;
      readonly value: T;
      /** Epoch seconds of the response by the service's clock; undefined if it sends no `Date`. */
      readonly date: number | undefined;
    }
  | ({ readonly ok: false } & Required<RequestFailure>);

/** `attempts` is 4 by default. */
export type CallOptions = Pick<RequestOptions, "timeout" | "attempts" | "scope">;

/** What became of a call. */
export type CallOutcome<T> =
  | {
      readonly ok: true;
      readonly value: T;
      /** Epoch seconds of the response by the service's clock; undefined if it sends no `Date`. */
      readonly date: number | undefined;
    }
  | {
      readonly ok: false;
      /** The service's own answer: it does not do what the call asks for, as with a name that it does not know. */
      readonly kind: "fault";
      readonly code: number;
      readonly reason: string;
    }
  | {
      readonly ok: false;
      /** A failed request. */
      readonly kind: FailureKind;
      readonly code: undefined;
      /** Why, for people. */
      readonly reason: string;
    };
