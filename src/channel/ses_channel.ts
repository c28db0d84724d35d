import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { SESClient, SendEmailCommand, SendRawEmailCommand } from "@aws-sdk/client-ses";
import { HttpsProxyAgent } from "https-proxy-agent";
import { homeFolder } from "../config/path.ts";
import { type DeliveryError, type Refused, UNFINISHED } from "../core/delivery.ts";
import { inTime } from "../core/in_time.ts";
import { errorText } from "../text/describe.ts";
import { headerText } from "../text/escape.ts";
import { credentialsSignal } from "./aws_credentials.ts";
import type { Channel, Outgoing } from "./channel.ts";
import { type ComposedMail, composeMail } from "./compose.ts";
import { addressesIn, CHECK_ENDPOINT, readSesError, type SesError, sesError } from "./ses_error.ts";

/** SES rejects a call with more. */
const MAX_RECIPIENTS = 50;
/** For one call. */
const MAX_ATTEMPTS = 5;

/** Milliseconds; `response` is for one call to the end, `retryDelay` doubles with each attempt. */
const TIMES = { credentials: 10_000, connect: 5_000, response: 20_000, retryDelay: 250 };
export type SesTimes = typeof TIMES;

const CHECK_CREDENTIALS = "check credential_process, the metadata endpoint and STS";
const RAW_DENIED = /^SES AccessDenied.*\bses:SendRawEmail\b/;

export interface SesSettings {
  /** The sender: an address, or `Name <address>`. */
  readonly from: string;
  readonly region?: string | undefined;
  /** For tests and private endpoints; otherwise the region's own. */
  readonly endpoint?: string | undefined;
  readonly proxy?: URL | undefined;
}

/**
 * Amazon SES. Credentials come from the usual AWS places: environment, shared files, instance role.
 * `note` receives what the log should say.
 */
export function sesChannel(
  config: SesSettings,
  note: (message: string) => void,
  times: SesTimes = TIMES,
): Channel {
  // The SDK warns on stderr about Node versions that it will stop supporting; cron would mail that.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = "true";
  // Without a home folder the SDK fails while it looks for shared files.
  process.env.HOME = homeFolder() ?? "/nonexistent";
  const { proxy } = config;
  const via = proxy ? ` (through the proxy ${proxy.origin})` : "";
  // Before that nothing was sent.
  let connected = false;
  const watched = (direct: HttpAgent, event: "connect" | "secureConnect") => {
    const agent: HttpAgent = proxy ? new HttpsProxyAgent(proxy) : direct;
    const connect = agent.createConnection.bind(agent);
    const note = () => {
      connected = true;
    };
    agent.createConnection = (...options) => connect(...options)?.once(event, note);
    return agent;
  };
  const client = new SESClient({
    ...(config.region === undefined ? {} : { region: config.region }),
    ...(config.endpoint === undefined ? {} : { endpoint: config.endpoint }),
    // The SDK would repeat calls that SES may have accepted.
    maxAttempts: 1,
    requestHandler: {
      connectionTimeout: times.connect,
      // A kept connection may be dead, which looks as if SES had received the call.
      httpAgent: watched(new HttpAgent({ keepAlive: false }), "connect"),
      httpsAgent: watched(new HttpsAgent({ keepAlive: false }), "secureConnect"),
    },
  });
  let useRaw = true;

  /** Sends to at most 50 recipients. Returns SES's MessageId, or why it failed. */
  const send = async (mail: Outgoing, signal: AbortSignal): Promise<string | SesError> => {
    const composed = await composeMail(mail, config.from, "windows");
    for (let attempt = 1; ; attempt++) {
      const result = await call(mail, composed, signal);
      if (typeof result === "string" || !result.retryNow || attempt === MAX_ATTEMPTS) return result;
      try {
        await sleep(times.retryDelay * 2 ** (attempt - 1), undefined, { signal });
      } catch {
        return result;
      }
    }
  };

  const call = async (
    mail: Outgoing,
    composed: ComposedMail,
    signal: AbortSignal,
  ): Promise<string | SesError> => {
    const stopped = (when: string): string =>
      `SES: stopped before ${when}: ${errorText(signal.reason)}`;
    if (signal.aborted) return sesError(stopped("the call"));
    const unresolved = AbortSignal.timeout(times.credentials);
    try {
      const limit = AbortSignal.any([signal, unresolved]);
      await inTime(credentialsSignal.run(limit, client.config.credentials), limit);
    } catch (thrown) {
      if (signal.aborted) return sesError(stopped("the call"));
      const { message, retryable } = unresolved.aborted
        ? sesError(`SES: none within ${times.credentials / 1000} s; ${CHECK_CREDENTIALS}`)
        : readSesError(thrown, composed.from);
      return sesError(message.replace(/^SES:?/, "SES: no AWS credentials:"), { retryable });
    }
    connected = false;
    // The SDK's own limit ends with the first byte of a response.
    const late = AbortSignal.timeout(times.response);
    const abortSignal = AbortSignal.any([signal, late]);
    const unconfirmed = (message: string) => sesError(message, { mayBeDelivered: connected });
    try {
      const sent = useRaw
        ? client.send(rawCommand(composed), { abortSignal })
        : client.send(plainCommand(mail, composed), { abortSignal });
      const { MessageId: id } = await inTime(sent, abortSignal);
      // A proxy may answer 200 too; only a MessageId confirms.
      return id || unconfirmed(`SES: no MessageId in the response; ${CHECK_ENDPOINT}`);
    } catch (thrown) {
      const missing = connected ? "response" : "connection";
      if (signal.aborted) return unconfirmed(stopped(connected ? "SES responded" : "the call"));
      if (late.aborted) return unconfirmed(`SES: no ${missing} within ${times.response / 1000} s`);
      const error = readSesError(thrown, composed.from);
      if (!useRaw || !RAW_DENIED.test(error.message))
        return { ...error, mayBeDelivered: connected && error.mayBeDelivered };
    }
    useRaw = false;
    note("SES: using ses:SendEmail; the AWS policy lacks ses:SendRawEmail, which is recommended");
    return await call(mail, composed, signal);
  };

  return {
    deliver: async (mail, signal, onProgress) => {
      const refused: Refused[] = [];
      const confirmed: string[] = [];
      const messageIds: string[] = [];
      const groups: (readonly string[])[] = [];
      for (let start = 0; start < mail.recipients.length; start += MAX_RECIPIENTS)
        groups.push(mail.recipients.slice(start, start + MAX_RECIPIENTS));
      let error: DeliveryError | undefined;
      while (error === undefined) {
        const recipients = groups.shift();
        if (recipients === undefined) break;
        const result = await send({ ...mail, recipients }, signal);
        if (typeof result === "string") {
          confirmed.push(...recipients);
          messageIds.push(result);
          const pending = groups.flat();
          if (pending.length > 0)
            await onProgress?.({ confirmed, refused, pending, messageIds, error: UNFINISHED });
          continue;
        }
        const { message, retryable, scope, mayBeDelivered } = result;
        if (scope === "addresses") {
          const { bad, rest } = splitRejected(recipients, addressesIn(message));
          refused.push(...bad.map((address) => ({ address, reason: message })));
          groups.unshift(...rest);
        } else {
          error = { message: `${message}${via}`, retryable, scope, mayBeDelivered };
          groups.unshift(recipients);
        }
      }
      return { confirmed, refused, pending: groups.flat(), messageIds, error };
    },
  };
}

/**
 * SES rejects a call as a whole for one bad address. The others go in one call if SES names the bad
 * ones; else in halves, until the bad one is alone.
 */
function splitRejected(recipients: readonly string[], named: ReadonlySet<string>) {
  const isBad = (address: string) => recipients.length === 1 || named.has(address.toLowerCase());
  const bad = recipients.filter(isBad);
  const others = recipients.filter((address) => !isBad(address));
  const middle = bad.length > 0 ? others.length : Math.ceil(others.length / 2);
  const rest = [others.slice(0, middle), others.slice(middle)].filter(({ length }) => length > 0);
  return { bad, rest };
}

function rawCommand({ from, to, raw }: ComposedMail): SendRawEmailCommand {
  return new SendRawEmailCommand({ Source: from, Destinations: to, RawMessage: { Data: raw } });
}

function plainCommand(
  { subject, text }: Outgoing,
  { from, to, html }: ComposedMail,
): SendEmailCommand {
  const utf8 = (data: string) => ({ Data: data, Charset: "UTF-8" });
  return new SendEmailCommand({
    Source: from,
    Destination: { ToAddresses: to },
    Message: {
      Subject: utf8(headerText(subject)),
      Body: { Text: utf8(text), Html: utf8(html) },
    },
  });
}
