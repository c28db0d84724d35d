import { Readable } from "node:stream";
import { promisify } from "node:util";
import SMTPConnection from "nodemailer/lib/smtp-connection";
import { type Delivery, undelivered } from "../core/delivery.ts";
import { inTime } from "../core/in_time.ts";
import { errorText } from "../text/describe.ts";
import type { Channel } from "./channel.ts";
import { type ComposedMail, composeMail } from "./compose.ts";
import { deliveryOf, readRejections, readSmtpError } from "./smtp_error.ts";

/** `required` and `optional` use STARTTLS, `implicit` uses TLS from the start. */
export type SmtpTls = "required" | "optional" | "none" | "implicit";

export interface SmtpSettings {
  /** The sender: an address, or `Name <address>`. */
  readonly from: string;
  readonly host: string;
  readonly port: number;
  readonly tls: SmtpTls;
  readonly login: { readonly user: string; readonly password: string } | undefined;
  /** Milliseconds without an answer. */
  readonly timeout: number;
}

/** Milliseconds; `connect` is for the connection and the greeting together. */
const TIMES = { dns: 5_000, connect: 15_000, greeting: 10_000, close: 1_000 };

const TLS: { readonly [kind in SmtpTls]: object } = {
  required: { requireTLS: true },
  // Optional encryption is better without a valid certificate than none.
  optional: { opportunisticTLS: true, tls: { rejectUnauthorized: false } },
  none: { ignoreTLS: true },
  implicit: {},
};

/** A mail server. Each delivery has a connection of its own. */
export function smtpChannel(settings: SmtpSettings): Channel {
  return {
    deliver: async (mail, signal) => {
      const composed = await composeMail(mail, settings.from, "windows");
      return await deliver(settings, mail.recipients, composed, signal);
    },
  };
}

async function deliver(
  settings: SmtpSettings,
  recipients: readonly string[],
  composed: ComposedMail,
  signal: AbortSignal,
): Promise<Delivery> {
  const { host, port, tls, timeout } = settings;
  const server = `SMTP ${host}:${port}`;
  const connection = new SMTPConnection({
    host,
    port,
    secure: tls === "implicit",
    ...TLS[tls],
    dnsTimeout: Math.min(TIMES.dns, timeout),
    connectionTimeout: Math.min(TIMES.connect, timeout),
    greetingTimeout: Math.min(TIMES.greeting, timeout),
    socketTimeout: timeout,
    socketCloseTimeout: TIMES.close,
  });
  // Read when the server accepts DATA, and to its end before the message's last dot is sent.
  const message = Readable.from([composed.raw], { objectMode: false });
  const broken = new Promise<never>((_, reject) => connection.on("error", reject));
  try {
    signal.throwIfAborted();
    const sent = Promise.race([send(connection, settings, composed, message), broken]);
    const info = await inTime(sent, signal);
    connection.quit();
    const ids = [composed.messageId, info.serverMessageId ?? []].flat();
    return deliveryOf(recipients, readRejections(info), ids, server);
  } catch (thrown) {
    const isSent = message.readableEnded;
    if (signal.aborted)
      return undelivered(recipients, {
        message: `${server}: stopped before the server answered: ${errorText(signal.reason)}`,
        retryable: true,
        scope: "channel",
        mayBeDelivered: isSent,
      });
    // After a failed handshake only another connection can go on in clear.
    if (tls === "optional" && connection.upgrading)
      return await deliver({ ...settings, tls: "none" }, recipients, composed, signal);
    const rejections = readRejections(thrown);
    if (rejections.length > 0) return deliveryOf(recipients, rejections, [], server);
    const error = readSmtpError(thrown, isSent);
    return undelivered(recipients, { ...error, message: `${server}: ${error.message}` });
  } finally {
    connection.close();
  }
}

async function send(
  connection: SMTPConnection,
  { login }: SmtpSettings,
  { sender, to, raw }: ComposedMail,
  message: Readable,
) {
  await new Promise<void>((resolve, reject) =>
    connection.connect((error) => (error === undefined ? resolve() : reject(error))),
  );
  if (login !== undefined) {
    // Without this check the password would be sent all the same.
    if (!connection.allowsAuth) throw Object.assign(new Error(NO_LOGIN), NOT_OFFERED);
    const { user, password: pass } = login;
    await promisify((done) => connection.login({ user, pass }, done))();
  }
  const envelope = { from: sender, to, size: raw.length };
  return await promisify<SMTPConnection.SentMessageInfo>((done) =>
    connection.send(envelope, message, done),
  )();
}

const NO_LOGIN =
  "the server offers no login on this connection; remove user and the password, or use the port for logins (587 or 465)";
const NOT_OFFERED = { code: "ENOAUTH", permanent: true };
