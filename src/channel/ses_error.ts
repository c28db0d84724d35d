import type { DeliveryError } from "../core/delivery.ts";
import { PROXY_LOGIN, waitingHelps } from "../core/http_status.ts";
import { errorText } from "../text/describe.ts";
import { headerText } from "../text/escape.ts";

export interface SesError extends Omit<DeliveryError, "scope"> {
  /** `addresses`: SES rejected some of the recipients, and may accept the others. */
  readonly scope: DeliveryError["scope"] | "addresses";
  /** SES has not accepted the mail, and may accept it in a moment. */
  readonly retryNow: boolean;
}

export function sesError(message: string, more: Partial<SesError> = {}): SesError {
  const error = { message, retryable: true, mayBeDelivered: false, retryNow: false } as const;
  return { ...error, scope: "channel", ...more };
}

export const CHECK_ENDPOINT = "check [email] endpoint and any proxy in front of it";

const THROTTLING = /throttl|TooManyRequests|LimitExceeded|SlowDown/i;
/** What to do about the error codes of AWS that no waiting cures, whatever their status. */
const REMEDIES: readonly (readonly [code: RegExp, remedy: string])[] = [
  [/Expired|TokenRefresh|Skew/, "renew the AWS credentials, or correct this host's clock"],
  [/Signature|Token|AccessKey|Unrecognized|AuthFailure/, "check the AWS credentials"],
  [/Denied|Authorized|Unauthorized/, "allow it in the AWS policy of these credentials"],
  [/OptIn|Subscription|Paused|NotVerified|DoesNotExist/, "correct it in the SES console"],
];
/** Errors whose cause may be one of the recipients. */
const OF_ADDRESSES = ["MessageRejected", "InvalidParameterValue"];
const OF_ACCOUNT = /\b(sending|account)\b.{0,40}\b(paused|suspended|disabled|blocked)\b/i;
/** Of the message: an address may be too long as well. */
const OF_SIZE = /\bmessage\b.*\b(length|size|bytes|too (large|long|big))\b/i;
/** What the SDK adds for programmers. */
const SDK_HINTS = /^@(smithy\/node-http-handler -|aws-sdk) |\s*Deserialization error: to see .*$/gs;

/** Reads what the SDK threw. `from` is the mail's sender. */
export function readSesError(thrown: unknown, from: string): SesError {
  // A host with several addresses fails with one error for each, in one without a message.
  const first: unknown = thrown instanceof AggregateError ? thrown.errors[0] : thrown;
  const error = first instanceof Error ? first : new Error(errorText(first));
  const text = headerText(errorText(error).replace(SDK_HINTS, ""));
  const status = statusOf(error);
  if (status === undefined) return withoutResponse(error, text);
  // The SDK found neither a result nor an error of SES.
  const isForeign = ["Unknown", "Error", "SyntaxError"].includes(error.name);
  const message = isForeign
    ? `SES: invalid response (status ${status}: ${text}); ${CHECK_ENDPOINT}`
    : `SES ${error.name}: ${text}`;
  if (status === 407) return sesError(`SES: ${PROXY_LOGIN} (status 407)`, { retryable: false });
  if (status < 300) return sesError(message, { mayBeDelivered: true });
  if (status === 413) return sesError(message, { scope: "size", retryable: false });
  // After a SignatureDoesNotMatch the SDK signs by the time of the response.
  const isClockCorrected = property(error, "$metadata", "clockSkewCorrected") === true;
  const retryable = waitingHelps(status);
  if ((status < 500 && retryable) || THROTTLING.test(error.name) || isClockCorrected)
    return sesError(message, { retryNow: true });
  const [, remedy] = REMEDIES.find(([code]) => code.test(error.name)) ?? [];
  if (remedy !== undefined) return sesError(`${message}; ${remedy}`, { retryable: false });
  // A gateway may have passed the call on before it failed.
  if (isForeign) return sesError(message, { retryable, mayBeDelivered: status >= 500 });
  if (status >= 500) return sesError(message, { retryable, retryNow: retryable });
  return sesError(message, { scope: scopeOf(error, from), retryable: false });
}

function withoutResponse(error: Error, text: string): SesError {
  const message = `SES ${error.name}: ${text}`;
  if (error.name.endsWith("ProviderError"))
    return sesError(`${message} (set AWS credentials for the engine's user)`, { retryable: false });
  if (text === "Region is missing")
    return sesError(`${message} (set [email] region, such as us-east-1)`, { retryable: false });
  const isTimeout = error.name === "TimeoutError";
  // Node names the system call of a failed lookup or connection.
  const isUnconnected = ["connect", "getaddrinfo"].includes(String(Reflect.get(error, "syscall")));
  if (isUnconnected || (isTimeout && /establish/i.test(text)))
    return sesError(message, { retryNow: true });
  const code = String(Reflect.get(error, "code"));
  if (/CERT|SIGNED|UNABLE_TO_|_TLS_|_SSL_|EPROTO/.test(code))
    return sesError(`${message}; ${CHECK_ENDPOINT}`, { retryable: false });
  const isBroken = /^(ECONNRESET|EPIPE|ETIMEDOUT|HPE_)/.test(code);
  return sesError(message, { mayBeDelivered: isTimeout || isBroken });
}

function scopeOf({ name, message }: Error, from: string): SesError["scope"] {
  if (!OF_ADDRESSES.includes(name)) return "channel";
  if (OF_SIZE.test(message)) return "size";
  const named = addressesIn(message);
  const isSender = [...addressesIn(from)].some((address) => named.has(address));
  return isSender || OF_ACCOUNT.test(message) ? "channel" : "addresses";
}

/** The email addresses in a text, in lower case. */
export function addressesIn(text: string): ReadonlySet<string> {
  const words = text.toLowerCase().split(/[\s,;:<>()"]+/);
  const bare = words.map((word) => word.replace(/^'|['.]+$/g, ""));
  return new Set(bare.filter((word) => word.includes("@")));
}

function statusOf(error: Error): number | undefined {
  const inMetadata = property(error, "$metadata", "httpStatusCode");
  const status = inMetadata ?? property(error, "$response", "statusCode");
  return typeof status === "number" ? status : undefined;
}

function property(error: Error, name: string, key: string): unknown {
  const value: unknown = Reflect.get(error, name);
  return typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;
}
