import { AsyncLocalStorage } from "node:async_hooks";
import { ChildProcess } from "node:child_process";
import { subscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { readFileSync } from "node:fs";

/** Which processes the SDK starts for `credential_process`; it offers no way to limit or end them. */
const started = new AsyncLocalStorage<ChildProcess[]>();
subscribe("child_process", (message) => {
  const child: unknown = Reflect.get(Object(message), "process");
  if (child instanceof ChildProcess) started.getStore()?.push(child);
});

/**
 * Resolves AWS credentials, which the SDK then keeps. The SDK obeys no signal while a process, a metadata
 * endpoint or STS keeps it waiting. Rejects with the provider's error or the signal's reason.
 */
export async function resolveCredentials(
  provider: () => Promise<unknown>,
  signal: AbortSignal,
): Promise<void> {
  const children: ChildProcess[] = [];
  try {
    await before(signal, started.run(children, provider));
  } catch (error) {
    for (const { pid } of children) if (pid !== undefined) endTree(pid);
    throw error;
  }
}

/** The promise's result, or a rejection when the signal aborts first. */
export async function before<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  const aborted = once(signal, "abort").then((): never => {
    throw signal.reason;
  });
  return await Promise.race([promise, aborted]);
}

/** The shell's child would outlive the shell. Without /proc only the shell ends. */
function endTree(pid: number): void {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
    for (const child of children.split(" ").filter(Boolean)) endTree(Number(child));
  } catch {}
  try {
    process.kill(pid, "SIGKILL");
  } catch {}
}
