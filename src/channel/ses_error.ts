import { errorText } from "../text/describe.ts";
import { headerText } from "../text/escape.ts";
import { callResultOf, isForeign, statusOf } from "./call_result.ts";

/** What an error of SES means for the call's recipients. */
export interface SesError {
  readonly message: string;
  readonly retryable: boolean;
  /** `addresses`: other recipients may get through; `channel`: no mail does; `size`: none as large. */
  readonly scope: "addresses" | "channel" | "size";
  /** SES may have taken the mail all the same. */
  readonly mayBeDelivered: boolean;
  /** SES surely did not take it, and may take it in a moment. */
  readonly again: boolean;
  /** The recipients that SES blames, where it names any. */
  readonly blamed: readonly string[];
}

/** Errors that stay until somebody changes the configuration or the AWS account. */
const PERMANENT = new Set([
  "MessageRejected",
  "MailFromDomainNotVerifiedException",
  "ConfigurationSetDoesNotExistException",
  "ConfigurationSetSendingPausedException",
  "AccountSendingPausedException",
  "InvalidParameterValue",
  "AccessDenied",
  "AccessDeniedException",
  "InvalidClientTokenId",
  "SignatureDoesNotMatch",
  "UnrecognizedClientException",
  "CredentialsProviderError",
]);

export const FOREIGN =
  "something that is not SES answered at [email] endpoint; check it and what stands before it";

/** Errors that may lie in one address of many. */
const OF_ADDRESSES = new Set(["MessageRejected", "InvalidParameterValue"]);
const OF_ACCOUNT = /\b(sending|account)\b.{0,40}\b(paused|suspended|disabled|blocked)\b/i;
/** Of the mail, that is: an address may be too long as well. */
const OF_SIZE = /\bmessage\b.*\b(length|size|bytes|too (large|long|big))\b/i;

/** Reads an error of the SDK. `sender` and `recipients` are bare addresses, as SES names them. */
export function explainSesError(
  thrown: unknown,
  sender: string,
  recipients: readonly string[],
): SesError {
  const error = firstOf(thrown);
  const whole = (text: string, retryable: boolean): SesError => {
    const fate = callResultOf(error);
    const again = fate === "again";
    return {
      message: text,
      retryable,
      scope: "channel",
      blamed: [],
      mayBeDelivered: fate === "unknown",
      again,
    };
  };
  if (!(error instanceof Error)) return whole(`SES: ${errorText(error)}`, true);
  // The SDK has no name of its own for this one.
  if (error.message === "Region is missing")
    return whole("SES has no region; set [email] region, such as us-east-1", false);
  const text = describe(error);
  const refused = { message: text, retryable: false, mayBeDelivered: false, again: false };
  const isRefusal = OF_ADDRESSES.has(error.name);
  if (statusOf(error) === 413 || (isRefusal && OF_SIZE.test(error.message)))
    return { ...refused, scope: "size", blamed: [] };
  const named = addressesIn(error.message);
  // Without its sender no mail goes out, whoever it is for.
  if (!isRefusal || named.has(sender.toLowerCase()) || OF_ACCOUNT.test(error.message))
    return whole(text, !PERMANENT.has(error.name));
  const blamed = recipients.filter((address) => named.has(address.toLowerCase()));
  return { ...refused, scope: "addresses", blamed };
}

/** A host with several addresses fails with one error for each, in one that has no words. */
function firstOf(thrown: unknown): unknown {
  return thrown instanceof AggregateError && thrown.errors.length > 0 ? thrown.errors[0] : thrown;
}

function describe(error: Error): string {
  const said = error.message === error.name ? "" : headerText(withoutSdk(errorText(error)));
  if (isForeign(error)) return describeForeign(statusOf(error), said);
  const hint =
    error.name === "CredentialsProviderError" ? " (set AWS credentials for the engine's user)" : "";
  return `SES ${error.name}: ${said || "no reason given"}${hint}`;
}

function describeForeign(status: number | undefined, said: string): string {
  if (status === undefined) return `SES gave no answer (${said}): ${FOREIGN}`;
  if (status >= 200 && status < 300)
    return `SES gave no whole answer (status ${status}: ${said}): the line broke, or ${FOREIGN}`;
  return `SES gave no answer (status ${status}): ${FOREIGN}`;
}

/** What the SDK says of itself helps nobody who reads a mail of cron. */
function withoutSdk(text: string): string {
  return text
    .replace(/\s*Deserialization error: to see the raw response.*$/s, "")
    .replace(/^@(smithy\/node-http-handler -|aws-sdk) /, "");
}

function addressesIn(text: string): ReadonlySet<string> {
  const words = text.toLowerCase().split(/[\s,;:<>()"]+/);
  return new Set(
    words.map((word) => word.replace(/^'|['.]+$/g, "")).filter((w) => w.includes("@")),
  );
}
