import { array, boolean, fallback, type InferOutput, number, object, parse, string } from "valibot";
import type { Delivery, DeliveryError } from "../core/delivery.ts";
import { mailbox } from "../core/recipients.ts";
import { cut, errorText } from "../text/describe.ts";
import { headerText } from "../text/escape.ts";

const text = fallback(string(), "");
const permanent = fallback(boolean(), false);
const Rejection = object({ recipient: text, response: text, permanent });

const WithRejections = object({ rejectedErrors: fallback(array(Rejection), []) });
/** What nodemailer notes on its errors. */
const Failure = object({
  code: text,
  originalCode: text,
  command: text,
  response: text,
  responseCode: fallback(number(), 0),
  permanent,
});

const NO_STARTTLS =
  'set tls = "optional" if mail may be sent unencrypted, or "implicit" with the port for TLS (465)';
const ASK_RELAY =
  "set user and a password if the server needs a login, or let it accept mail from this host and sender";
const CHECK_SERVER = "check smtp_host, smtp_port and tls";
/** Characters of an answer that a message quotes. */
const MAX_ANSWER = 500;
const OF_CERTIFICATE = /CERT|SIGNED|UNABLE_TO_|ALTNAME/;
const LATE = /^(Timeout|Greeting never received)$/;
/** Codes for a message that is too large: RFC 5321 and RFC 3463. */
const OF_SIZE = /^552|^\d{3}[ -]5\.(2\.3|3\.4)\b/;
/** The server requires a login, or rejects the client by its rules. */
const OF_POLICY = /^530|^5\d\d[ -]5\.7\./;

/** Reads what SMTPConnection threw. `isSent`: the whole message was sent when it did. */
export function readSmtpError(thrown: unknown, isSent: boolean): DeliveryError {
  const failure = parse(Failure, thrown);
  const { code, command, response, responseCode, permanent } = failure;
  const isTls = OF_CERTIFICATE.test(failure.originalCode) || /_SSL_/.test(failure.originalCode);
  const isAnswered = responseCode >= 400 && responseCode < 600;
  const ofMessage = command === "RCPT TO" || command === "DATA" ? "notification" : "channel";
  const isTooLarge = OF_SIZE.test(response) || (code === "EMESSAGE" && command === "MAIL FROM");
  const remedy = remedyFor(failure, isTls);
  const cause = headerText(errorText(thrown));
  return {
    message: `${LATE.test(cause) ? "no answer in time" : cause}${remedy && `; ${remedy}`}`,
    retryable: !(permanent || isTls || isTooLarge),
    scope: isTooLarge ? "size" : responseCode === 421 ? "channel" : ofMessage,
    mayBeDelivered: isSent && !isAnswered,
  };
}

function remedyFor(
  { code, originalCode, command, permanent }: InferOutput<typeof Failure>,
  isTls: boolean,
): string {
  if (OF_CERTIFICATE.test(originalCode))
    return "correct the server's certificate; for your own authority set NODE_EXTRA_CA_CERTS";
  if (code === "ETIMEDOUT") return `${CHECK_SERVER}, or raise smtp_timeout`;
  if (isTls || /^(ECONNREFUSED|EHOSTUNREACH|ENETUNREACH)$/.test(originalCode) || code === "EDNS")
    return CHECK_SERVER;
  if (!permanent) return "";
  if (code === "EAUTH") return "check user and its password";
  if (code === "ETLS") return NO_STARTTLS;
  return command === "MAIL FROM" && code === "EENVELOPE" ? `check from; ${ASK_RELAY}` : "";
}

/** The recipients that the server rejected, from an error of SMTPConnection or from its result. */
export function readRejections(from: unknown): readonly InferOutput<typeof Rejection>[] {
  return parse(WithRejections, from).rejectedErrors;
}

/** The result where the server answered for each recipient. `server` begins the messages. */
export function deliveryOf(
  recipients: readonly string[],
  rejections: ReturnType<typeof readRejections>,
  messageIds: readonly string[],
  server: string,
): Delivery {
  const rejected = new Map(rejections.map((each) => [each.recipient.toLowerCase(), each]));
  const found = recipients.map((address) => {
    const rejection = rejected.get((mailbox(address) ?? address).toLowerCase());
    const answer = cut(headerText(rejection?.response ?? ""), MAX_ANSWER);
    return { address, rejection, reason: `${server}: ${answer}` };
  });
  const confirmed = found.filter(({ rejection }) => rejection === undefined);
  // Not the fault of the addresses.
  const isPolicy =
    confirmed.length === 0 && rejections.every(({ response }) => OF_POLICY.test(response));
  const refused = found.filter(({ rejection }) => rejection?.permanent === true && !isPolicy);
  const pending = found.filter((each) => !confirmed.includes(each) && !refused.includes(each));
  const [first] = pending;
  const addressesOf = (list: typeof found) => list.map(({ address }) => address);
  return {
    confirmed: addressesOf(confirmed),
    refused: refused.map(({ address, reason }) => ({ address, reason })),
    pending: addressesOf(pending),
    messageIds: confirmed.length > 0 ? messageIds : [],
    error: first && {
      message: isPolicy ? `${first.reason}; ${ASK_RELAY}` : first.reason,
      retryable: !isPolicy,
      scope: "notification",
      mayBeDelivered: false,
    },
  };
}
