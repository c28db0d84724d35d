import { SESClient, SendEmailCommand } from "@aws-sdk/client-ses";
import type { EmailConfig } from "../config/config.ts";
import { type Delivery, type Refused, type Trouble, undelivered } from "../core/delivery.ts";
import { quote } from "../core/describe.ts";
import { headerText } from "../message/escape.ts";
import type { Channel, Mail } from "./channel.ts";
import { asciiAddress, headerMailbox, readMailbox } from "./mailbox.ts";
import { explainFailure, type SesFailure } from "./ses_failure.ts";

/** SES refuses a call with more recipients. */
const MAX_RECIPIENTS = 50;
/** The SDK waits longer before each: seconds in all where SES throttles. */
const ATTEMPTS = 5;
const CONNECT_TIMEOUT = 5_000;
const TIMEOUT = 20_000;

const NO_ID = "SES answered without a MessageId; check [email] endpoint and what stands before it";
const OUT_OF_TIME = "SES: the tick's time was over before it answered";
const NOT_ASCII = "SES takes only ASCII letters before the @, and a host that exists in ASCII";

/** Amazon SES. Credentials come from the usual AWS places: environment, shared files, instance role. */
export function sesChannel(config: Extract<EmailConfig, { provider: "ses" }>): Channel {
  // The SDK warns on stderr about the Node versions that it will stop supporting; cron would mail that.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = "true";
  const client = new SESClient({
    ...(config.region === undefined ? {} : { region: config.region }),
    ...(config.endpoint === undefined ? {} : { endpoint: config.endpoint }),
    maxAttempts: ATTEMPTS,
    requestHandler: { connectionTimeout: CONNECT_TIMEOUT, requestTimeout: TIMEOUT },
  });
  const { name, address } = readMailbox(config.from);
  const sender = asciiAddress(address);
  return {
    name: "ses",
    deliver: async (mail, signal) => {
      if (sender === undefined) {
        const error = `cannot send from ${quote(config.from)}: ${NOT_ASCII}; mend [email] from`;
        return undelivered(mail.recipients, {
          error,
          retryable: false,
          scope: "channel",
          mayBeSent: false,
        });
      }
      const source = headerMailbox({ name, address: sender });
      return await new Sending(client, { mail, sender, source, signal }).toAll();
    },
  };
}

interface Letter {
  readonly mail: Mail;
  /** The bare address, as SES names it. */
  readonly sender: string;
  readonly source: string;
  readonly signal: AbortSignal;
}

/** One mail on its way to its recipients, call by call. */
class Sending {
  readonly #client: SESClient;
  readonly #letter: Letter;
  readonly #confirmed: string[] = [];
  readonly #refused: Refused[] = [];
  readonly #pending: string[] = [];
  readonly #messageIds: string[] = [];
  #trouble: Trouble | undefined;

  constructor(client: SESClient, letter: Letter) {
    this.#client = client;
    this.#letter = letter;
  }

  async toAll(): Promise<Delivery> {
    const sendable: string[] = [];
    for (const address of this.#letter.mail.recipients) {
      if (asciiAddress(address) === undefined) this.#refused.push({ address, reason: NOT_ASCII });
      else sendable.push(address);
    }
    for (let start = 0; start < sendable.length; start += MAX_RECIPIENTS)
      await this.#to(sendable.slice(start, start + MAX_RECIPIENTS));
    return {
      confirmed: this.#confirmed,
      refused: this.#refused,
      pending: this.#pending,
      messageIds: this.#messageIds,
      trouble: this.#trouble,
    };
  }

  /** One address that SES refuses makes it refuse the whole call; the others must not suffer for it. */
  async #to(recipients: readonly string[]): Promise<void> {
    if (recipients.length === 0) return;
    if (this.#trouble !== undefined) {
      this.#pending.push(...recipients);
      return;
    }
    const failure = await this.#send(recipients);
    if (failure === undefined) {
      this.#confirmed.push(...recipients);
      return;
    }
    const { error: reason, retryable, scope, blamed, mayBeSent } = failure;
    if (scope !== "addresses") {
      this.#trouble = { error: reason, retryable, scope, mayBeSent };
      this.#pending.push(...recipients);
      return;
    }
    const isRefused = (address: string) =>
      recipients.length === 1 || blamed.includes(wire(address));
    for (const address of recipients.filter(isRefused)) this.#refused.push({ address, reason });
    const others = recipients.filter((address) => !isRefused(address));
    // Where SES names the culprits the others go in one call again.
    const middle = blamed.length > 0 ? others.length : Math.ceil(others.length / 2);
    await this.#to(others.slice(0, middle));
    await this.#to(others.slice(middle));
  }

  /** One call. Undefined when SES took it. */
  async #send(recipients: readonly string[]): Promise<SesFailure | undefined> {
    const { mail, sender, source, signal } = this.#letter;
    const utf8 = (data: string) => ({ Data: data, Charset: "UTF-8" });
    const addresses = recipients.map(wire);
    const command = new SendEmailCommand({
      Source: source,
      Destination: { ToAddresses: addresses },
      Message: {
        Subject: utf8(headerText(mail.subject)),
        Body: { Text: utf8(mail.text), Html: utf8(mail.html) },
      },
    });
    try {
      const { MessageId: id } = await this.#client.send(command, { abortSignal: signal });
      // Something that is not SES may answer 200 too; only a MessageId confirms.
      if (!id) return unanswered(NO_ID);
      this.#messageIds.push(id);
      return undefined;
    } catch (error) {
      if (signal.aborted) return unanswered(OUT_OF_TIME);
      return explainFailure(error, sender, addresses);
    }
  }
}

function unanswered(error: string): SesFailure {
  return { error, retryable: true, scope: "channel", blamed: [], mayBeSent: true };
}

function wire(address: string): string {
  return asciiAddress(address) ?? address;
}
