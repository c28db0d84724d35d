import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** Runs a TypeScript file of the bench in a process of its own. */
export function typescriptCommand(file: string): readonly string[] {
  return [
    fileURLToPath(new URL("../../node_modules/jiti/lib/jiti-cli.mjs", import.meta.url)),
    fileURLToPath(new URL(file, import.meta.url)),
  ];
}

/** The HTTP source in a process of its own. */
export class BenchSource {
  readonly #child: ChildProcess;
  readonly #url: string;

  private constructor(child: ChildProcess, url: string) {
    this.#child = child;
    this.#url = url;
  }

  static async start(): Promise<BenchSource> {
    const child = spawn(process.execPath, typescriptCommand("source_process.ts"), {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    return new BenchSource(child, String(await said(child, "url")));
  }

  /** The base URL of a source whose lists have so many rows. */
  listing(count: number): string {
    return `${this.#url}/${count}`;
  }

  /** Requests since its start. */
  async requests(): Promise<number> {
    this.#child.send("how many requests?");
    return Number(await said(this.#child, "requests"));
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const ended = once(this.#child, "exit");
    this.#child.disconnect();
    await ended;
  }
}

async function said(child: ChildProcess, key: string): Promise<unknown> {
  const ended = new AbortController();
  const onExit = () => ended.abort(new Error("the source's process has ended"));
  child.once("exit", onExit);
  try {
    const [message]: unknown[] = await once(child, "message", { signal: ended.signal });
    return typeof message === "object" && message !== null ? Reflect.get(message, key) : undefined;
  } finally {
    child.off("exit", onExit);
  }
}
