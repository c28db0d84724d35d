import type { Server } from "node:http";
import { createRequire } from "node:module";

/** The package is CommonJS, and importers disagree about where its default lies; `require` does not. */
const ses: unknown = createRequire(import.meta.url)("aws-ses-v2-local");

/** A mail as the SES endpoint received it. */
export interface ReceivedMail {
  readonly messageId: string;
  readonly from: string;
  readonly subject: string;
  readonly destination: { readonly to: readonly string[] };
  readonly body: { readonly text?: string; readonly html?: string };
}

export interface SesServer {
  readonly url: string;
  received(): Promise<readonly ReceivedMail[]>;
  close(): Promise<void>;
}

/** A real SES endpoint on loopback, which keeps what it gets. */
export async function startSes(): Promise<SesServer> {
  if (!isSesPackage(ses)) throw new Error("aws-ses-v2-local exports no start function");
  const running = await ses.default({ host: "127.0.0.1", port: 0 });
  const address = running.address();
  if (typeof address !== "object" || address === null)
    throw new Error("the SES endpoint has no port");
  const url = `http://127.0.0.1:${address.port}`;
  // The package keeps its mails in the module, so those of an earlier endpoint in this file are still there.
  await fetch(`${url}/clear-store`, { method: "POST" });
  return {
    url,
    received: async () => {
      const answer: unknown = await (await fetch(`${url}/store`)).json();
      if (!isStore(answer)) throw new Error("the SES endpoint's store has another shape");
      return answer.emails;
    },
    close: async () => {
      running.closeAllConnections();
      await new Promise<void>((resolve) => running.close(() => resolve()));
    },
  };
}

interface SesPackage {
  readonly default: (config: { host: string; port: number }) => Promise<Server>;
}

function isSesPackage(value: unknown): value is SesPackage {
  return (
    typeof value === "object" &&
    value !== null &&
    "default" in value &&
    typeof value.default === "function"
  );
}

function isStore(value: unknown): value is { emails: readonly ReceivedMail[] } {
  return (
    typeof value === "object" && value !== null && "emails" in value && Array.isArray(value.emails)
  );
}
