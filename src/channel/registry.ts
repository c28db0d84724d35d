import type { EmailConfig } from "../config/config.ts";
import type { Channel } from "./channel.ts";

/**
 * The configured channel; undefined if there is none. Its library is loaded only here. `note` receives
 * what the log should say.
 */
export async function openChannel(
  config: EmailConfig,
  note: (message: string) => void,
): Promise<Channel | undefined> {
  switch (config.provider) {
    case "none":
      return undefined;
    case "ses":
      return (await import("./ses.ts")).sesChannel(config, note);
    case "file":
      return (await import("./file.ts")).fileChannel(config);
  }
}
