import { writeFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { Webhook } from "standardwebhooks";
import * as v from "valibot";
import { onTestFinished } from "vitest";
import { startServer } from "../support/http_server.ts";
import { readCall } from "../support/mail_service.ts";
import type { Site } from "../support/site.ts";
import type { Dice } from "./dice.ts";
import type { Moments } from "./moments.ts";
import {
  CHANNELS,
  type ChannelName,
  type Received,
  readChat,
  readHookData,
  readMail,
} from "./received.ts";

/** Shares of the requests that the chat throttles, and whose answers the webhook loses. */
const THROTTLED = 0.3;
const LOST = 0.3;
/** Seconds; a tick waits for the first two. */
const RETRY_AFTER = [0, 1, 3600];

const SECRET = `whsec_${Buffer.alloc(32, "crash").toString("base64")}`;

export interface Gate {
  /** Further lines of the configuration for this tick: its channels. */
  configure(tick: number, operators: readonly string[]): { endpoint: string; more: string };
  /** Whether it throttles and loses. */
  isFaulty: boolean;
  readonly received: readonly Received[];
  /** Requests that the chat throttled. */
  readonly throttled: number;
  /** Resolves when nothing is on its way through any more. */
  idle(): Promise<void>;
}

const Hook = v.object({
  type: v.literal("bundle"),
  data: v.object({
    alarm: v.string(),
    new: v.array(hookItem()),
    continuing: v.array(hookItem()),
    cleared: v.array(hookItem()),
    may_be_duplicate: v.exactOptional(v.boolean()),
  }),
});

function hookItem() {
  return v.object({
    event_id: v.string(),
    subject: v.string(),
    may_be_duplicate: v.exactOptional(v.boolean()),
  });
}

/** The receivers of all channels; the mails go on to SES. They tell the moments of every message on its way. */
export async function startGate(site: Site, moments: Moments, dice: Dice): Promise<Gate> {
  const received: Received[] = [];
  const underWay = new Set<Promise<void>>();
  const server = await startServer((request, response) => {
    const passing = pass(request, response).finally(() => underWay.delete(passing));
    underWay.add(passing);
  });
  onTestFinished(() => server.close());
  writeFileSync(join(site.folder, "hook.secret"), SECRET, { mode: 0o600 });

  const pass = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const [, tick = "", name] = (request.url ?? "").split("/");
    const channel = CHANNELS.find((each) => each === name);
    const body = await readAll(request);
    // The sender died before it had said all: no receiver knows of it.
    if (channel === undefined || body === undefined) return;
    if (moments.note(`${channel} received`)) {
      response.destroy();
      return;
    }
    if (channel === "chat" && gate.isFaulty && dice.chance(THROTTLED)) {
      gate.throttled += 1;
      const seconds = RETRY_AFTER[dice.upTo(RETRY_AFTER.length) - 1] ?? 0;
      response.writeHead(429, { "retry-after": String(seconds) }).end("slow down");
      moments.note("chat throttled");
      return;
    }
    const { answer, ...message } = await readers[channel](request, body);
    const isLost = channel === "hook" && gate.isFaulty && dice.chance(LOST);
    received.push({ channel, tick: Number(tick), isLost, ...message });
    moments.note(`${channel} accepted`);
    if (isLost) {
      response.destroy();
      moments.note("hook lost");
    } else response.writeHead(200).end(answer, () => moments.note(`${channel} answered`));
  };

  type Read = Omit<Received, "channel" | "tick" | "isLost"> & { readonly answer: string };
  const readers: {
    readonly [name in ChannelName]: (request: IncomingMessage, body: string) => Promise<Read>;
  } = {
    email: async ({ headers }, body) => {
      const answer = await askSes(site.mail.url, headers, body);
      const messageId = /<MessageId>([^<]+)</.exec(answer)?.[1];
      if (messageId === undefined) throw new Error(`SES took no mail: ${answer}`);
      const call = new URLSearchParams(body);
      const { subject, text } = await readCall(call);
      const raw = Buffer.from(call.get("RawMessage.Data") ?? "", "base64").toString();
      const id = /^X-SWF-Notification: (\S+)/im.exec(raw)?.[1] ?? "";
      return { ...readMail(subject, text), id, text, messageId, answer };
    },
    chat: async ({ headers }, body) => {
      const { text } = v.parse(v.object({ text: v.string() }), JSON.parse(body));
      const id = String(headers["x-swf-notification"]);
      return { ...readChat(text), id, text, messageId: undefined, answer: "ok" };
    },
    hook: async ({ headers }, body) => {
      const id = String(headers["webhook-id"]);
      if (headers["x-swf-notification"] !== id) throw new Error(`another id than ${id}`);
      const signed = Object.entries(headers).map(([name, value]) => [name, String(value)]);
      const verified = new Webhook(SECRET).verify(body, Object.fromEntries(signed));
      const { data } = v.parse(Hook, verified);
      return { ...readHookData(data), id, text: "", messageId: undefined, answer: "" };
    },
  };

  const gate = {
    configure: (tick: number, operators: readonly string[]) => ({
      endpoint: `${server.url}/${tick}/email`,
      more: `operators = ${JSON.stringify(operators)}
default = true
[channels.chat]
type = "mattermost"
url = "${server.url}/${tick}/chat"
default = true
[channels.hook]
type = "webhook"
url = "${server.url}/${tick}/hook"
secret_file = "hook.secret"
default = true`,
    }),
    isFaulty: false,
    throttled: 0,
    received,
    idle: async () => {
      while (underWay.size > 0) await Promise.all(underWay);
    },
  };
  return gate;
}

async function askSes(
  url: string,
  { authorization = "", "content-type": type = "" }: IncomingMessage["headers"],
  body: string,
): Promise<string> {
  const headers = { "content-type": type, authorization };
  return await (await fetch(url, { method: "POST", headers, body })).text();
}

async function readAll(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of request) chunks.push(Buffer.from(chunk));
  } catch {
    return undefined;
  }
  return Buffer.concat(chunks).toString("utf8");
}
