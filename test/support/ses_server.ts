import type { Server } from "node:http";
import { createRequire } from "node:module";

/** The package is CommonJS, and importers disagree about where its default lies; `require` does not. */
const ses: unknown = createRequire(import.meta.url)("aws-ses-v2-local");

export interface SesServer {
  readonly url: string;
  close(): Promise<void>;
}

/** A real SES endpoint on loopback. */
export async function startSes(): Promise<SesServer> {
  if (!isSesPackage(ses)) throw new Error("aws-ses-v2-local exports no start function");
  const running = await ses.default({ host: "127.0.0.1", port: 0 });
  const address = running.address();
  if (typeof address !== "object" || address === null)
    throw new Error("the SES endpoint has no port");
  const url = `http://127.0.0.1:${address.port}`;
  return {
    url,
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
