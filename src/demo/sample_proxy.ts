import { createServer, type ServerResponse } from "node:http";
import { type Answer, answerTasks } from "./sample_answer.ts";
import type { SampleTask } from "./sample_tasks.ts";

/** What the proxy has to tell. */
export interface ProxyScene {
  readonly tasks: readonly SampleTask[];
  /** Epoch seconds; what `days` counts back from. */
  readonly now: number;
  /** Every question gets the page of a login form, with status 200. */
  readonly loginPage: boolean;
}

export interface SampleProxy {
  /** What `[engine] base_url` must say. */
  readonly baseUrl: string;
  /** Sets what is served from now on. */
  show(scene: ProxyScene): void;
  close(): Promise<void>;
}

/** Where the real proxy lies on its host. */
const BASE_PATH = "/prod";
const TASKS_PATH = `${BASE_PATH}/api/panda/tasks/`;

/** Starts a PanDA proxy with made-up tasks, on loopback and a free port. */
export async function startSampleProxy(): Promise<SampleProxy> {
  let scene: ProxyScene = { tasks: [], now: 0, loginPage: false };
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://proxy.invalid");
    if (scene.loginPage) sendLoginPage(response);
    else send(response, answer(request.method ?? "GET", url, scene));
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      if (typeof address === "object" && address !== null) resolve(address.port);
      else reject(new Error("the sample proxy has no port"));
    });
  });
  return {
    baseUrl: `http://127.0.0.1:${port}${BASE_PATH}`,
    show: (next) => {
      scene = next;
    },
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

function answer(method: string, url: URL, scene: ProxyScene): Answer {
  if (method !== "GET") return { status: 405, body: { error: "GET only" } };
  if (url.pathname !== TASKS_PATH)
    return { status: 404, body: { error: `the sample proxy serves only ${TASKS_PATH}` } };
  return answerTasks(scene.tasks, url.searchParams, scene.now);
}

function send(response: ServerResponse, { status, body }: Answer): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}

function sendLoginPage(response: ServerResponse): void {
  response.writeHead(200, { "content-type": "text/html; charset=utf-8" });
  response.end(
    "<!DOCTYPE html><html><head><title>Log in</title></head><body><form></form></body></html>",
  );
}
