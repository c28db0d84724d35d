import type { IncomingMessage, ServerResponse } from "node:http";
import { onTestFinished } from "vitest";
import { startServer } from "../support/http_server.ts";
import { readCall } from "../support/mail_service.ts";
import type { Moments } from "./moments.ts";

/** A mail that SES took. */
export interface AcceptedMail {
  /** In which tick it was sent, whenever it came through. */
  readonly tick: number;
  /** `alarm_<name>`, from its subject. */
  readonly alarm: string;
  readonly text: string;
  readonly messageId: string;
}

export interface MailGate {
  /** The endpoint for this tick. */
  endpoint(tick: number): string;
  readonly accepted: readonly AcceptedMail[];
  /** Resolves when nothing is on its way through any more. */
  idle(): Promise<void>;
}

/** Stands before the SES endpoint and tells the moments of every mail on its way. */
export async function startMailGate(ses: string, moments: Moments): Promise<MailGate> {
  const accepted: AcceptedMail[] = [];
  const underWay = new Set<Promise<void>>();
  const server = await startServer((request, response) => {
    const passing = pass(request, response).finally(() => underWay.delete(passing));
    underWay.add(passing);
  });
  onTestFinished(() => server.close());

  const pass = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await readAll(request);
    // The sender died before it had said all: SES knows nothing of it.
    if (body === undefined) return;
    if (moments.note("mail received")) {
      response.destroy();
      return;
    }
    const answer = await fetch(ses, {
      method: "POST",
      headers: {
        "content-type": request.headers["content-type"] ?? "",
        authorization: request.headers.authorization ?? "",
      },
      body,
    });
    const xml = await answer.text();
    const messageId = /<MessageId>([^<]+)</.exec(xml)?.[1];
    if (!answer.ok || messageId === undefined) throw new Error(`SES took no mail: ${xml}`);
    const { subject, text } = await readCall(new URLSearchParams(body));
    accepted.push({
      tick: Number(/^\/(\d+)\b/.exec(request.url ?? "")?.[1]),
      alarm: /^\[(\w+)\]/.exec(subject)?.[1] ?? subject,
      text,
      messageId,
    });
    moments.note("mail accepted");
    response.writeHead(200, { "content-type": "text/xml" });
    response.end(xml, () => moments.note("mail answered"));
  };

  return {
    endpoint: (tick) => `${server.url}/${tick}`,
    accepted,
    idle: async () => {
      while (underWay.size > 0) await Promise.all(underWay);
    },
  };
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
