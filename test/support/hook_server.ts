import type { IncomingHttpHeaders } from "node:http";
import { onTestFinished } from "vitest";
import { startServer } from "./http_server.ts";

export interface HookRequest {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface HookReply {
  readonly status?: number;
  readonly headers?: { readonly [name: string]: string };
  readonly body?: string;
}

/** A receiver of hooks until the test ends. It replies in turn, with the last reply again and again. */
export async function startHookServer(...replies: readonly HookReply[]) {
  const requests: HookRequest[] = [];
  const server = await startServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(Buffer.from(chunk));
    const { url: path = "", headers } = request;
    requests.push({ path, headers, body: Buffer.concat(chunks).toString() });
    const { status, ...reply } = replies[Math.min(requests.length, replies.length) - 1] ?? {};
    response.writeHead(status ?? 200, reply.headers).end(reply.body ?? "ok");
  });
  onTestFinished(() => server.close());
  return { url: `${server.url}/hooks/s3cret-key-of-the-hook`, origin: server.url, requests };
}
