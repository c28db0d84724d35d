import { errorText } from "../text/describe.ts";

/** Why no whole answer came, in an operator's words and in those of the error. */
export interface ConnectionError {
  readonly reason: string;
  /** Whether another attempt may help. */
  readonly retry: boolean;
}

/** Looked for in code and message together; the first that fits counts. */
const KINDS: readonly (readonly [words: RegExp, retry: boolean, meaning: string])[] = [
  [/^ENOTFOUND\b/, true, "DNS does not know the name"],
  [/^EAI_AGAIN\b/, true, "DNS does not answer"],
  [/^ECONNREFUSED\b/, true, "nobody listens there"],
  [/^(EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|UND_ERR_CONNECT_TIMEOUT)\b/, true, "it cannot be reached"],
  // undici closes the connection after a 100 or 101 that was not requested.
  [/^UND_ERR_SOCKET bad (response|upgrade)/, false, "what answers does not speak HTTP"],
  [
    // The parser's words for a connection that was closed in the middle of a chunk.
    /^(ECONNRESET\b|EPIPE\b|UND_ERR_SOCKET\b|HTTPParserError .*Invalid EOF state)/,
    true,
    "the connection broke before the answer was whole",
  ],
  [/^UND_ERR_RES_CONTENT_LENGTH_MISMATCH\b/, true, "the body is not as long as its content-length"],
  [/^UND_ERR_HEADERS_OVERFLOW\b/, false, "the answer's header is too large"],
  // undici's parser gives its errors no code, and checks some of what it is sent with assertions.
  [/^(HTTPParserError|ERR_ASSERTION)\b/, false, "what answers does not speak HTTP"],
  [/^UND_ERR_(INVALID_ARG|NOT_SUPPORTED)\b/, false, "the question cannot be sent"],
  [/^UND_ERR_(DESTROYED|CLOSED)\b/, false, "its connections are closed already"],
  [
    /^(CERT_|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_|ERR_TLS_CERT_)/,
    false,
    "its TLS certificate is not valid here",
  ],
  [/^(EPROTO|ERR_SSL_|ERR_TLS_)/, false, "no TLS connection"],
];

/** An exchange that broke off. The reason may hold what the service sent, of any length. */
export function explainConnection(error: unknown): ConnectionError {
  const { code, message } = unwrap(error);
  const words = message.includes(code) ? message : `${code} ${message}`.trim();
  const kind = KINDS.find(([known]) => known.test(`${code} ${message}`));
  if (kind === undefined) return { reason: words, retry: false };
  const [, retry, meaning] = kind;
  return { reason: `${meaning}: ${words}`, retry };
}

/** Code, or else name, and words of an error; several connection attempts come as one AggregateError. */
function unwrap(error: unknown): { code: string; message: string } {
  if (error instanceof AggregateError && error.errors.length > 0) return unwrap(error.errors[0]);
  if (!(error instanceof Error)) return { code: "", message: errorText(error) };
  const code = "code" in error && typeof error.code === "string" ? error.code : error.name;
  return { code: code === "Error" ? "" : code, message: errorText(error) };
}
