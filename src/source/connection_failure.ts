import { errorText } from "../core/describe.ts";

/** Why no whole answer came, in an operator's words and in those of the error. */
export interface ConnectionFailure {
  readonly reason: string;
  /** Whether another attempt may help. */
  readonly retry: boolean;
}

const KINDS: readonly (readonly [codes: RegExp, retry: boolean, words: string])[] = [
  [/^ENOTFOUND$/, true, "DNS does not know the name"],
  [/^EAI_AGAIN$/, true, "DNS does not answer"],
  [/^ECONNREFUSED$/, true, "nobody listens there"],
  [/^(EHOSTUNREACH|ENETUNREACH|ETIMEDOUT)$/, true, "it cannot be reached"],
  [/^(ECONNRESET|EPIPE)$/, true, "the connection broke before the answer was whole"],
  [/^HPE_HEADER_OVERFLOW$/, false, "the answer's header is too large"],
  [/^HPE_/, false, "what answers does not speak HTTP"],
  [
    /^(CERT_|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_|ERR_TLS_CERT_)/,
    false,
    "its TLS certificate is not valid here",
  ],
  [/^(EPROTO|ERR_SSL_|ERR_TLS_)/, false, "no TLS connection"],
];

/** An exchange that broke off. The reason may hold what the service sent, of any length. */
export function explainConnection(error: unknown): ConnectionFailure {
  const { code, message } = unwrap(error);
  const words = message.includes(code) ? message : `${code} ${message}`.trim();
  const kind = KINDS.find(([codes]) => codes.test(code));
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
