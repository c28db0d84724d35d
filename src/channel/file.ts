import { randomUUID } from "node:crypto";
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { object, optional } from "valibot";
import { showPath } from "../config/issue.ts";
import { resolvePath } from "../config/path.ts";
import { pathLike } from "../config/values.ts";
import { delivered, undelivered } from "../core/delivery.ts";
import { errorText } from "../text/describe.ts";
import type { Channel, Outgoing } from "./channel.ts";
import { channelType } from "./channel_type.ts";
import { sender } from "./sender.ts";

/** Mails in a folder, to look at. */
export const file = channelType(
  object({ dir: optional(pathLike("outbox"), "outbox"), from: optional(sender) }),
  ({ dir, from = "swf-alarms@localhost" }, { path, around, faults }) => {
    const folder = resolvePath(around.folder, dir);
    const fault = around.writableFault?.(folder);
    if (fault !== undefined) faults.push(`${showPath([...path, "dir"])}: ${fault}`);
    return { target: undefined, open: async () => fileChannel({ from, dir: folder }) };
  },
);

/** Writes each mail as an `.eml` file, which any mail program opens. */
export function fileChannel({ from, dir }: { from: string; dir: string }): Channel {
  return {
    deliver: async (mail) => {
      const { recipients } = mail;
      const name = fileName(mail);
      const path = join(dir, name);
      try {
        const { composeMail } = await import("./compose.ts");
        const { raw } = await composeMail(mail, from, "unix");
        mkdirSync(dir, { recursive: true, mode: 0o700 });
        writeWhole(path, raw);
        return delivered(recipients, [name]);
      } catch (error) {
        const message = `cannot write ${path}: ${errorText(error)}`;
        return undelivered(recipients, {
          message,
          retryable: /^(ENOSPC|EDQUOT|EMFILE|ENFILE|EIO|EBUSY)/.test(errorText(error)),
          scope: "channel",
          mayBeDelivered: false,
        });
      }
    },
  };
}

/** A program that watches the folder never sees half a mail, and a full disk leaves none. */
function writeWhole(path: string, content: Uint8Array): void {
  const part = `${path}.part`;
  try {
    writeFileSync(part, content, { mode: 0o600 });
    renameSync(part, path);
  } catch (error) {
    rmSync(part, { force: true });
    throw error;
  }
}

/** Sorts by time; unique. The alarm's name comes from a row, so it may hold anything. */
function fileName({ alarm, time }: Outgoing): string {
  const utc = new Date(time * 1000).toISOString().slice(0, -5).replaceAll(":", "");
  const name = alarm.replace(/[^A-Za-z0-9_-]/g, "_").slice(0, 100);
  return `${utc}Z-${name}-${randomUUID().slice(0, 8)}.eml`;
}
