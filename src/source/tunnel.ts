import { request as overHttp } from "node:http";
import { request as overHttps } from "node:https";
import type { Socket } from "node:net";
import type { HttpProxy } from "../core/model.ts";

/**
 * A connection to `target`, a host with its port, through a proxy. Rejects if there is none, or a second after
 * the caller's own limit of `timeout` ms.
 */
export function openTunnel(
  { origin, headers }: HttpProxy,
  target: string,
  timeout: number,
): Promise<Socket> {
  const send = origin.startsWith("https:") ? overHttps : overHttp;
  const signal = AbortSignal.timeout(timeout + 1_000);
  const options = { method: "CONNECT", path: target, headers, agent: false, signal };
  return new Promise((resolve, reject) => {
    const request = send(origin, options).once("error", reject);
    request.once("connect", ({ statusCode, statusMessage }, socket) => {
      if (statusCode === 200) return resolve(socket);
      socket.destroy();
      reject(new Error(`the proxy responded to CONNECT with ${statusCode} ${statusMessage}`));
    });
    // Given before, Node would look for this name in the certificate of the proxy.
    request.setHeader("host", target);
    request.end();
  });
}
