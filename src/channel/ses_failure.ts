import { errorText } from "../core/describe.ts";
import { headerText } from "../message/escape.ts";

/** What an error of SES means for the call's recipients. */
export interface SesFailure {
  readonly error: string;
  readonly retryable: boolean;
  /** `addresses`: other recipients may get through; `channel`: no mail does; `size`: none as large. */
  readonly scope: "addresses" | "channel" | "size";
  /** SES may have taken the mail all the same. */
  readonly mayBeSent: boolean;
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

/** Errors that may lie in one address of many. */
const OF_ADDRESSES = new Set(["MessageRejected", "InvalidParameterValue"]);
const OF_ACCOUNT = /\b(sending|account)\b.{0,40}\b(paused|suspended|disabled|blocked)\b/i;
/** Of the mail, that is: an address may be too long as well. */
const OF_SIZE = /\bmessage\b.*\b(length|size|bytes|too (large|long|big))\b/i;

/** Reads an error of the SDK. `sender` and `recipients` are bare addresses, as SES names them. */
export function explainFailure(
  error: unknown,
  sender: string,
  recipients: readonly string[],
): SesFailure {
  const whole = (text: string, retryable: boolean): SesFailure => {
    return { error: text, retryable, scope: "channel", blamed: [], mayBeSent: wentSilent(error) };
  };
  if (!(error instanceof Error)) return whole(`SES: ${errorText(error)}`, true);
  // The SDK has no name of its own for this one.
  if (error.message === "Region is missing")
    return whole("SES has no region; set [email] region, such as us-east-1", false);
  const text = describe(error);
  const isRefusal = OF_ADDRESSES.has(error.name);
  if (statusOf(error) === 413 || (isRefusal && OF_SIZE.test(error.message)))
    return { error: text, retryable: false, scope: "size", blamed: [], mayBeSent: false };
  const named = addressesIn(error.message);
  // Without its sender no mail goes out, whoever it is for.
  if (!isRefusal || named.has(sender.toLowerCase()) || OF_ACCOUNT.test(error.message))
    return whole(text, !PERMANENT.has(error.name));
  const blamed = recipients.filter((address) => named.has(address.toLowerCase()));
  return { error: text, retryable: false, scope: "addresses", blamed, mayBeSent: false };
}

/** Whether the call had reached somebody when the line went dead. */
function wentSilent(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error.name === "TimeoutError") return !/establish/i.test(error.message);
  return ["ECONNRESET", "EPIPE"].includes(String(Reflect.get(error, "code")));
}

function describe(error: Error): string {
  const status = statusOf(error);
  const said = error.message === error.name ? "" : headerText(errorText(error));
  const detail = said || (status === undefined ? "no reason given" : `status ${status}`);
  const hint =
    error.name === "CredentialsProviderError" ? " (set AWS credentials for the engine's user)" : "";
  // The SDK found no error of SES in the answer, so something else has answered.
  const isForeign = ["Unknown", "Error", "SyntaxError"].includes(error.name);
  const at = isForeign && said !== "" && status !== undefined ? ` (status ${status})` : "";
  return `SES ${error.name}: ${detail}${at}${hint}`;
}

function addressesIn(text: string): ReadonlySet<string> {
  const words = text.toLowerCase().split(/[\s,;:<>()"]+/);
  return new Set(
    words.map((word) => word.replace(/^'|['.]+$/g, "")).filter((w) => w.includes("@")),
  );
}

/** The HTTP status that the SDK notes on its errors, also where something that is not SES answered. */
function statusOf(error: Error): number | undefined {
  for (const key of ["$metadata", "$response"]) {
    const part: unknown = Reflect.get(error, key);
    if (typeof part !== "object" || part === null) continue;
    const status: unknown = Reflect.get(part, "httpStatusCode") ?? Reflect.get(part, "statusCode");
    if (typeof status === "number") return status;
  }
  return undefined;
}
