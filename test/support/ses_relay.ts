import type { IncomingMessage } from "node:http";
import { startServer, type TestServer } from "./http_server.ts";

export interface SesRelay {
  readonly url: string;
  /** All recipients of each SendEmail call, in order; the endpoint itself keeps only the first of a call. */
  readonly recipients: (readonly string[])[];
  close(): Promise<void>;
}

/** Stands before an SES endpoint and passes every call on. */
export async function startSesRelay(endpoint: string): Promise<SesRelay> {
  const recipients: (readonly string[])[] = [];
  const server: TestServer = await startServer((request, response) => {
    readBody(request)
      .then(async (body) => {
        const fields = [...new URLSearchParams(body)];
        recipients.push(
          fields.flatMap(([name, value]) =>
            name.startsWith("Destination.ToAddresses.member.") ? [value] : [],
          ),
        );
        const answer = await fetch(endpoint + request.url, {
          method: "POST",
          headers: {
            authorization: request.headers.authorization ?? "",
            "content-type": request.headers["content-type"] ?? "",
          },
          body,
        });
        response.writeHead(answer.status, { "content-type": "text/xml" });
        response.end(await answer.text());
      })
      .catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
  });
  return { url: server.url, recipients, close: server.close };
}

async function readBody(request: IncomingMessage): Promise<string> {
  let body = "";
  request.setEncoding("utf8");
  for await (const chunk of request) body += chunk;
  return body;
}
