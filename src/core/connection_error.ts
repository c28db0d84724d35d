import { errorText } from "../text/describe.ts";
import { PROXY_LOGIN } from "./http_status.ts";

/** Matched against code and message; the first match counts. */
const KINDS: readonly (readonly [pattern: RegExp, retry: boolean, meaning: string])[] = [
  [/^ENOTFOUND\b/, true, "host name not found"],
  [/^EAI_AGAIN\b/, true, "DNS lookup failed"],
  [/^ECONNREFUSED\b/, true, "connection refused"],
  // Of a local socket, whose path the error names.
  [/^(ENOENT|ENOTDIR)\b/, true, "the socket does not exist"],
  [/^EACCES\b/, false, "the engine's user may not use the socket"],
  [/^UND_ERR_\w+ Proxy .*\(407\)/, false, PROXY_LOGIN],
  [/^UND_ERR_ABORTED Proxy response .(429|5\d\d)/, true, "host unreachable"],
  [/^UND_ERR_ABORTED Proxy response/, false, "the proxy refuses this host"],
  [/^(EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|UND_ERR_CONNECT_TIMEOUT)\b/, true, "host unreachable"],
  // undici closes the connection after a 100 or 101 that was not requested.
  [/^UND_ERR_SOCKET bad (response|upgrade)/, false, "the response is not HTTP"],
  [
    // "Invalid EOF state": the connection was closed within a chunk.
    /^(ECONNRESET\b|EPIPE\b|UND_ERR_SOCKET\b|HTTPParserError .*Invalid EOF state)/,
    true,
    "connection closed before the response was complete",
  ],
  [/^UND_ERR_RES_CONTENT_LENGTH_MISMATCH\b/, true, "the body length does not match content-length"],
  [/^UND_ERR_HEADERS_OVERFLOW\b/, false, "the response header is too large"],
  // undici's parser errors have no code, and some of its checks are assertions.
  [/^(HTTPParserError|ERR_ASSERTION)\b/, false, "the response is not HTTP"],
  [/^UND_ERR_(INVALID_ARG|NOT_SUPPORTED)\b/, false, "the request cannot be sent"],
  [
    /^(CERT_|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_|ERR_TLS_CERT_)/,
    false,
    "TLS certificate not accepted",
  ],
  [/^(EPROTO|ERR_SSL_|ERR_TLS_)/, false, "TLS connection failed"],
];

export interface ConnectionFault {
  /** It may hold text of any length from the service. */
  readonly reason: string;
  /** Whether another attempt may help. */
  readonly retry: boolean;
}

/** Why there was no complete response. */
export function explainConnection(error: unknown): ConnectionFault {
  const { code, message } = unwrap(error);
  const text = message.includes(code) ? message : `${code} ${message}`.trim();
  const kind = KINDS.find(([pattern]) => pattern.test(`${code} ${message}`));
  if (kind === undefined) return { reason: text, retry: false };
  const [, retry, meaning] = kind;
  return { reason: `${meaning}: ${text}`, retry };
}

/** Several attempts to connect come as one AggregateError. */
function unwrap(error: unknown): { code: string; message: string } {
  if (error instanceof AggregateError && error.errors.length > 0) return unwrap(error.errors[0]);
  if (!(error instanceof Error)) return { code: "", message: errorText(error) };
  const code = "code" in error && typeof error.code === "string" ? error.code : error.name;
  return { code: code === "Error" ? "" : code, message: errorText(error) };
}
