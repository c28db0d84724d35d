import http from "node:http";
import https from "node:https";
import { TLSSocket } from "node:tls";
import { explainConnection } from "swf-alarms";

export interface HttpLook {
  readonly url: URL;
  /** For the whole answer. */
  readonly seconds: number;
  /** PEM of the authorities that are trusted; else those of Node. */
  readonly ca: readonly string[] | undefined;
  /** Aborted when the alarm's time is up. */
  readonly signal: AbortSignal;
}

/** What came of one GET. */
export type Answer =
  | {
      readonly kind: "answer";
      readonly status: number;
      /** Where a redirect leads. */
      readonly location: string | undefined;
      /** The beginning, at most MAX_BODY bytes. */
      readonly body: string;
      readonly isWhole: boolean;
      readonly seconds: number;
      /** When the certificate expires, epoch seconds; undefined without one. */
      readonly certificateEnd: number | undefined;
    }
  | { readonly kind: "failed"; readonly reason: string }
  /** The alarm's time was up first. */
  | { readonly kind: "given up" };

export const MAX_BODY = 1024 ** 2;

/** One GET on a connection of its own. A redirect is an answer like any other. Never throws. */
export async function lookAt({ url, seconds, ca, signal }: HttpLook): Promise<Answer> {
  const limit = AbortSignal.timeout(seconds * 1000);
  const started = performance.now();
  let status: number | undefined;
  try {
    const response = await get(url, { ca, signal: AbortSignal.any([signal, limit]) });
    status = response.statusCode ?? 0;
    const certificateEnd = endOf(response.socket);
    const { body, isWhole } = await readBeginning(response);
    return {
      kind: "answer",
      status,
      location: response.headers.location,
      body,
      isWhole,
      seconds: (performance.now() - started) / 1000,
      certificateEnd,
    };
  } catch (error) {
    if (signal.aborted) return { kind: "given up" };
    const came = status === undefined ? "no answer" : `status ${status}, but no whole answer`;
    if (limit.aborted) return { kind: "failed", reason: `${came} within ${seconds} s` };
    return { kind: "failed", reason: `${came}: ${explainConnection(error).reason}` };
  }
}

interface GetFacts {
  readonly ca: readonly string[] | undefined;
  readonly signal: AbortSignal;
}

async function get(url: URL, { ca, signal }: GetFacts): Promise<http.IncomingMessage> {
  const headers = { "user-agent": "swf-alarms", "accept-encoding": "identity" };
  const options = { signal, headers, agent: false, ...(ca && { ca: [...ca] }) };
  return await new Promise((resolve, reject) => {
    const { request } = url.protocol === "https:" ? https : http;
    request(url, options, resolve).on("error", reject).end();
  });
}

async function readBeginning(response: http.IncomingMessage) {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response) {
    chunks.push(chunk);
    size += chunk.length;
    // Leaving the loop closes the connection.
    if (size > MAX_BODY) break;
  }
  const body = Buffer.concat(chunks).toString("utf8", 0, MAX_BODY);
  return { body, isWhole: size <= MAX_BODY };
}

function endOf(socket: unknown): number | undefined {
  if (!(socket instanceof TLSSocket)) return undefined;
  return Date.parse(socket.getPeerCertificate().valid_to) / 1000;
}
