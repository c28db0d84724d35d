import { SESClient, SendEmailCommand } from "@aws-sdk/client-ses";
import type { EmailConfig } from "../config/config.ts";
import { type Delivery, type DeliveryError, type Refused, undelivered } from "../core/delivery.ts";
import { quote } from "../text/describe.ts";
import { headerText } from "../text/escape.ts";
import { callPatiently } from "./attempts.ts";
import type { Channel, Mail } from "./channel.ts";
import { asciiAddress, headerMailbox, readMailbox } from "./mailbox.ts";
import { explainSesError, FOREIGN, type SesError } from "./ses_error.ts";

/** SES refuses a call with more recipients. */
const MAX_RECIPIENTS = 50;

/** Milliseconds. */
export interface Patience {
  readonly connect: number;
  /** For one call, to the end of its answer. */
  readonly answer: number;
  /** Before the second call. */
  readonly firstWait: number;
}
const PATIENCE: Patience = { connect: 5_000, answer: 20_000, firstWait: 250 };

const NO_ID = `SES gave no MessageId: ${FOREIGN}`;
const OUT_OF_TIME = "SES: the tick's time was over before it answered";
const NOT_ASKED = "SES: the tick's time was over before it was asked";
const NOT_ASCII = "SES takes only ASCII letters before the @, and a host that exists in ASCII";

/** Amazon SES. Credentials come from the usual AWS places: environment, shared files, instance role. */
export function sesChannel(
  config: Extract<EmailConfig, { provider: "ses" }>,
  patience: Patience = PATIENCE,
): Channel {
  // The SDK warns on stderr about the Node versions that it will stop supporting; cron would mail that.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = "true";
  const client = new SESClient({
    ...(config.region === undefined ? {} : { region: config.region }),
    ...(config.endpoint === undefined ? {} : { endpoint: config.endpoint }),
    // The SDK would repeat calls that SES may have taken.
    maxAttempts: 1,
    requestHandler: {
      connectionTimeout: patience.connect,
      // A connection that was kept may be dead, which would look as if SES had the call.
      httpAgent: { keepAlive: false },
      httpsAgent: { keepAlive: false },
    },
  });
  const { name, address } = readMailbox(config.from);
  const sender = asciiAddress(address);
  return {
    name: "ses",
    deliver: async (mail, signal) => {
      if (sender === undefined) {
        const error = `cannot send from ${quote(config.from)}: ${NOT_ASCII}; mend [email] from`;
        return undelivered(mail.recipients, {
          message: error,
          retryable: false,
          scope: "channel",
          mayBeDelivered: false,
        });
      }
      const source = headerMailbox({ name, address: sender });
      return await new Sending(client, { mail, sender, source, signal, patience }).toAll();
    },
  };
}

interface Letter {
  readonly mail: Mail;
  /** The bare address, as SES names it. */
  readonly sender: string;
  readonly source: string;
  readonly signal: AbortSignal;
  readonly patience: Patience;
}

/** One mail on its way to its recipients, call by call. */
class Sending {
  readonly #client: SESClient;
  readonly #letter: Letter;
  readonly #confirmed: string[] = [];
  readonly #refused: Refused[] = [];
  readonly #pending: string[] = [];
  readonly #messageIds: string[] = [];
  #trouble: DeliveryError | undefined;

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
      error: this.#trouble,
    };
  }

  /** One address that SES refuses makes it refuse the whole call; the others must not suffer for it. */
  async #to(recipients: readonly string[]): Promise<void> {
    if (recipients.length === 0) return;
    if (this.#trouble !== undefined) {
      this.#pending.push(...recipients);
      return;
    }
    const { patience, signal } = this.#letter;
    const failure = await callPatiently(() => this.#send(recipients), patience.firstWait, signal);
    if (failure === undefined) {
      this.#confirmed.push(...recipients);
      return;
    }
    const { message: reason, retryable, scope, blamed, mayBeDelivered: mayBeSent } = failure;
    if (scope !== "addresses") {
      this.#trouble = { message: reason, retryable, scope, mayBeDelivered: mayBeSent };
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
  async #send(recipients: readonly string[]): Promise<SesError | undefined> {
    const { mail, sender, source, signal, patience } = this.#letter;
    if (signal.aborted) return { ...unanswered(NOT_ASKED), mayBeDelivered: false };
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
    // The SDK's own limit ends with the first byte of an answer, and by default only prints a warning.
    const late = AbortSignal.timeout(patience.answer);
    const abortSignal = AbortSignal.any([signal, late]);
    try {
      const { MessageId: id } = await this.#client.send(command, { abortSignal });
      // Something that is not SES may answer 200 too; only a MessageId confirms.
      if (!id) return unanswered(NO_ID);
      this.#messageIds.push(id);
      return undefined;
    } catch (error) {
      if (signal.aborted) return unanswered(OUT_OF_TIME);
      if (late.aborted) return unanswered(`SES: no answer within ${patience.answer / 1000} s`);
      return explainSesError(error, sender, addresses);
    }
  }
}

function unanswered(error: string): SesError {
  return {
    message: error,
    retryable: true,
    scope: "channel",
    blamed: [],
    mayBeDelivered: true,
    again: false,
  };
}

function wire(address: string): string {
  return asciiAddress(address) ?? address;
}
