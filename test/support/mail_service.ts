import type { IncomingMessage, ServerResponse } from "node:http";
import { readEml } from "./eml.ts";
import { startServer } from "./http_server.ts";
import { startSes } from "./ses_server.ts";

/** A mail as a call hands it to SES. */
export interface CalledMail {
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** A mail that SES accepted. */
export interface SentMail extends CalledMail {
  readonly messageId: string;
}

export type ErrorResponse = (response: ServerResponse) => void;

type Rejection = ErrorResponse | undefined;

export interface MailService {
  readonly url: string;
  /** Accepted mails, in order. */
  readonly mails: SentMail[];
  /** All calls, rejected ones too. */
  readonly calls: URLSearchParams[];
  /** The response to a call instead of SES's own; undefined where SES is to respond. */
  refuse: ((call: URLSearchParams) => Rejection | Promise<Rejection>) | undefined;
  close(): Promise<void>;
}

/** A real SES endpoint behind a proxy that keeps each call. */
export async function startMailService(): Promise<MailService> {
  const ses = await startSes();
  const server = await startServer((request, response) => {
    void pass(request, response);
  });
  const pass = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await readBody(request);
    const call = new URLSearchParams(body);
    service.calls.push(call);
    const rejection = await service.refuse?.(call);
    if (rejection !== undefined) return rejection(response);
    const accepted = await fetch(ses.url, {
      method: "POST",
      headers: {
        "content-type": request.headers["content-type"] ?? "",
        authorization: request.headers.authorization ?? "",
      },
      body,
    });
    const xml = await accepted.text();
    const messageId = /<MessageId>([^<]+)</.exec(xml)?.[1];
    if (accepted.ok && messageId !== undefined)
      service.mails.push({ messageId, ...(await readCall(call)) });
    response.writeHead(accepted.status, { "content-type": "text/xml" });
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

/** The recipients of a SendRawEmail or SendEmail call. */
export function recipientsOf(call: URLSearchParams): readonly string[] {
  return [...call].flatMap(([name, value]) => (/^Destinations?\./.test(name) ? [value] : []));
}

/** Reads a SendRawEmail or SendEmail call. */
export async function readCall(call: URLSearchParams): Promise<CalledMail> {
  const field = (name: string) => call.get(name) ?? "";
  const common = { from: field("Source"), to: recipientsOf(call) };
  if (call.get("Action") === "SendRawEmail") {
    const { subject, text, html } = await readEml(
      Buffer.from(field("RawMessage.Data"), "base64").toString("utf8"),
    );
    return { ...common, subject, text, html };
  }
  return {
    ...common,
    subject: field("Message.Subject.Data"),
    text: field("Message.Body.Text.Data"),
    html: field("Message.Body.Html.Data"),
  };
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString("utf8");
}

/** Responds as SES does when something is wrong. */
export function sesError(
  code: string,
  status: number,
  message = "Email address is not verified.",
): ErrorResponse {
  return (response) => {
    response.writeHead(status, { "content-type": "text/xml" });
    response.end(
      `<ErrorResponse xmlns="http://ses.amazonaws.com/doc/2010-12-01/"><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error><RequestId>1</RequestId></ErrorResponse>`,
    );
  };
}

/** Responds to SendRawEmail as SES does where the policy lacks that right. */
export function withoutRawRight(call: URLSearchParams): ErrorResponse | undefined {
  return call.get("Action") === "SendRawEmail"
    ? sesError(
        "AccessDenied",
        403,
        "User `arn:aws:iam::123456789012:user/alarms' is not authorized to perform `ses:SendRawEmail' on resource `arn:aws:ses:us-east-1:123456789012:identity/host.example'",
      )
    : undefined;
}
