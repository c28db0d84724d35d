import { AsyncLocalStorage } from "node:async_hooks";
import { ChildProcess } from "node:child_process";
import { subscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { readFileSync } from "node:fs";

/** The SDK starts processes for `credential_process`, and offers no way to end them. */
const limit = new AsyncLocalStorage<AbortSignal>();
subscribe("child_process", (message) => {
  const child: unknown = Reflect.get(Object(message), "process");
  const signal = limit.getStore();
  if (!(child instanceof ChildProcess) || signal === undefined) return;
  const end = (): void => {
    const isRunning = child.exitCode === null && child.signalCode === null;
    if (isRunning && child.pid !== undefined) endTree(child.pid);
  };
  // After one that failed the SDK may start another.
  child.once("spawn", () => {
    if (signal.aborted) end();
    else signal.addEventListener("abort", end, { once: true });
  });
});

/**
 * Resolves AWS credentials, which the SDK then keeps. The SDK obeys no signal while a process, a metadata
 * endpoint or STS keeps it waiting. Rejects with the provider's error or the signal's reason.
 */
export async function resolveCredentials(
  provider: () => Promise<unknown>,
  signal: AbortSignal,
): Promise<void> {
  await before(signal, limit.run(signal, provider));
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
