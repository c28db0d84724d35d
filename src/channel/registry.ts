import type { EmailConfig } from "../config/config.ts";
import type { Channel } from "./channel.ts";

/** The configured channel, or undefined where none is. Its library is loaded only here. */
export async function openChannel(config: EmailConfig): Promise<Channel | undefined> {
  switch (config.provider) {
    case "none":
      return undefined;
    case "ses":
      return (await import("./ses.ts")).sesChannel(config);
    case "file":
      return (await import("./file.ts")).fileChannel(config);
  }
}
