import { SESClient, SendEmailCommand } from "@aws-sdk/client-ses";
import type { EmailConfig } from "../config/config.ts";
import { errorText } from "../core/describe.ts";
import { headerText } from "../message/escape.ts";
import type { Channel, Delivery, Mail } from "./channel.ts";

/** SES refuses a call with more recipients. */
const MAX_RECIPIENTS = 50;
const ATTEMPTS = 3;
const TIMEOUT = 20_000;

/** Errors that stay until somebody changes the configuration or the AWS account. */
const PERMANENT = new Set([
  "MessageRejected",
  "MailFromDomainNotVerifiedException",
  "ConfigurationSetDoesNotExistException",
  "AccountSendingPausedException",
  "InvalidParameterValue",
  "AccessDenied",
  "AccessDeniedException",
  "InvalidClientTokenId",
  "SignatureDoesNotMatch",
  "UnrecognizedClientException",
  "CredentialsProviderError",
]);

/** Amazon SES. Credentials come from the usual AWS places: environment, shared files, instance role. */
export function sesChannel(config: Extract<EmailConfig, { provider: "ses" }>): Channel {
  // The SDK warns on stderr about the Node versions that it will stop supporting; cron would mail that.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = "true";
  const client = new SESClient({
    ...(config.region === undefined ? {} : { region: config.region }),
    ...(config.endpoint === undefined ? {} : { endpoint: config.endpoint }),
    maxAttempts: ATTEMPTS,
    requestHandler: { connectionTimeout: TIMEOUT / 2, requestTimeout: TIMEOUT },
  });
  return { name: "ses", deliver: (mail) => deliver(client, config.from, mail) };
}

const NO_ID = "SES answered without a MessageId; check [email] endpoint and what stands before it";

async function deliver(client: SESClient, from: string, mail: Mail): Promise<Delivery> {
  const messageIds: string[] = [];
  for (let start = 0; start < mail.recipients.length; start += MAX_RECIPIENTS) {
    try {
      const { MessageId: id } = await client.send(
        command(from, mail, mail.recipients.slice(start, start + MAX_RECIPIENTS)),
      );
      // Something that is not SES may answer 200 too; only a MessageId confirms.
      if (!id) return { ok: false, error: NO_ID, retryable: true, messageIds };
      messageIds.push(id);
    } catch (error) {
      return { ok: false, ...explain(error), messageIds };
    }
  }
  return { ok: true, messageIds };
}

function command(from: string, mail: Mail, recipients: readonly string[]): SendEmailCommand {
  const utf8 = (data: string) => ({ Data: data, Charset: "UTF-8" });
  return new SendEmailCommand({
    Source: from,
    Destination: { ToAddresses: [...recipients] },
    Message: {
      Subject: utf8(mail.subject),
      Body: { Text: utf8(mail.text), Html: utf8(mail.html) },
    },
  });
}

function explain(error: unknown): { error: string; retryable: boolean } {
  if (!(error instanceof Error)) return { error: `SES: ${String(error)}`, retryable: true };
  // The SDK has no name of its own for this one.
  if (error.message === "Region is missing") {
    return { error: "SES has no region; set [email] region, such as us-east-1", retryable: false };
  }
  const status = statusOf(error);
  const said = error.message === error.name ? "" : headerText(errorText(error));
  const detail = said || (status === undefined ? "no reason given" : `status ${status}`);
  const hint =
    error.name === "CredentialsProviderError" ? " (set AWS credentials for the engine's user)" : "";
  // The SDK found no error of SES in the answer, so something else has answered.
  const isForeign = ["Unknown", "Error", "SyntaxError"].includes(error.name);
  const at = isForeign && said !== "" && status !== undefined ? ` (status ${status})` : "";
  return {
    error: `SES ${error.name}: ${detail}${at}${hint}`,
    retryable: !PERMANENT.has(error.name),
  };
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
