import type { IncomingMessage, ServerResponse } from "node:http";
import { startServer } from "./http_server.ts";
import { startSes } from "./ses_server.ts";

/** A mail that the SES endpoint took, as the engine asked for it. */
export interface SentMail {
  readonly messageId: string;
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

export type Refusal = (response: ServerResponse) => void;

export interface MailService {
  readonly url: string;
  /** Mails that were taken, in order. */
  readonly mails: SentMail[];
  /** Calls so far, refused ones too. */
  readonly calls: URLSearchParams[];
  /** While set, the calls that it gives an answer for are answered so instead of by SES. */
  refuse: ((call: URLSearchParams) => Refusal | undefined) | undefined;
  close(): Promise<void>;
}

/**
 * A real SES endpoint behind a listener that keeps each call as it came: the endpoint itself keeps only
 * the first recipient of a mail.
 */
export async function startMailService(): Promise<MailService> {
  const ses = await startSes();
  const server = await startServer((request, response) => {
    void pass(request, response);
  });
  const pass = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await readBody(request);
    const call = new URLSearchParams(body);
    service.calls.push(call);
    const refusal = service.refuse?.(call);
    if (refusal !== undefined) return refusal(response);
    const answer = await fetch(ses.url, {
      method: "POST",
      headers: {
        "content-type": request.headers["content-type"] ?? "",
        authorization: request.headers.authorization ?? "",
      },
      body,
    });
    const xml = await answer.text();
    const messageId = /<MessageId>([^<]+)</.exec(xml)?.[1];
    if (answer.ok && messageId !== undefined) service.mails.push(readMail(call, messageId));
    response.writeHead(answer.status, { "content-type": "text/xml" });
    response.end(xml);
  };
  const service: MailService = {
    url: server.url,
    mails: [],
    calls: [],
    refuse: undefined,
    close: async () => {
      await Promise.all([server.close(), ses.close()]);
    },
  };
  return service;
}

function readMail(call: URLSearchParams, messageId: string): SentMail {
  const to = [...call]
    .filter(([name]) => name.startsWith("Destination."))
    .map(([, address]) => address);
  return {
    messageId,
    from: call.get("Source") ?? "",
    to,
    subject: call.get("Message.Subject.Data") ?? "",
    text: call.get("Message.Body.Text.Data") ?? "",
    html: call.get("Message.Body.Html.Data") ?? "",
  };
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString("utf8");
}

/** Answers as SES does when something is wrong. */
export function sesError(
  code: string,
  status: number,
  message = "Email address is not verified.",
): Refusal {
  return (response) => {
    response.writeHead(status, { "content-type": "text/xml" });
    response.end(
      `<ErrorResponse xmlns="http://ses.amazonaws.com/doc/2010-12-01/"><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error><RequestId>1</RequestId></ErrorResponse>`,
    );
  };
}
