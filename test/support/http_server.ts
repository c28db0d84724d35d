import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

/** How a test server answers one request. */
export type Answer = (request: IncomingMessage, response: ServerResponse, url: URL) => void;

export interface TestServer {
  readonly url: string;
  /** Path and query of every request so far. */
  readonly requests: string[];
  answer: Answer;
  close(): Promise<void>;
}

/** A real HTTP server on loopback whose behaviour the test sets. */
export async function startServer(answer: Answer): Promise<TestServer> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(request.url ?? "");
    test.answer(request, response, new URL(request.url ?? "/", "http://localhost"));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (typeof address !== "object" || address === null)
    throw new Error("the test server has no port");
  const test: TestServer = {
    url: `http://127.0.0.1:${address.port}`,
    requests,
    answer,
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
  return test;
}

/** Answers with JSON. */
export function json(response: ServerResponse, value: unknown, status = 200): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(value));
}
