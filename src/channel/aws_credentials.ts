import { AsyncLocalStorage } from "node:async_hooks";
import { ChildProcess } from "node:child_process";
import { subscribe } from "node:diagnostics_channel";
import { readFileSync } from "node:fs";
import { attempt } from "../text/attempt.ts";

/**
 * The signal of the credentials that are being resolved. It ends the processes that the SDK starts for
 * `credential_process`; the SDK obeys no signal until it has credentials.
 */
export const credentialsSignal = new AsyncLocalStorage<AbortSignal>();
subscribe("child_process", (message) => {
  const child: unknown = Reflect.get(Object(message), "process");
  const signal = credentialsSignal.getStore();
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

/** The shell's child would outlive the shell. Without /proc only the shell ends. */
function endTree(pid: number): void {
  const path = `/proc/${pid}/task/${pid}/children`;
  const children = attempt(() => readFileSync(path, "utf8"), "");
  for (const child of children.split(" ").filter(Boolean)) endTree(Number(child));
  attempt(() => process.kill(pid, "SIGKILL"), false);
}
