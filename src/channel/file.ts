import { randomUUID } from "node:crypto";
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createTransport } from "nodemailer";
import type { EmailConfig } from "../config/config.ts";
import type { Channel, Delivery, Mail } from "./channel.ts";

/** Writes each mail as an `.eml` file, which any mail program opens. */
export function fileChannel(config: Extract<EmailConfig, { provider: "file" }>): Channel {
  const composer = createTransport({ streamTransport: true, buffer: true, newline: "unix" });
  return {
    name: "file",
    deliver: async (mail): Promise<Delivery> => {
      const name = fileName(mail);
      const path = join(config.dir, name);
      try {
        const { message } = await composer.sendMail({
          from: config.from,
          to: [...mail.recipients],
          date: new Date(mail.time * 1000),
          subject: mail.subject,
          text: mail.text,
          html: mail.html,
        });
        mkdirSync(config.dir, { recursive: true, mode: 0o700 });
        // Whoever watches the folder must never see half a mail.
        writeFileSync(`${path}.part`, message.toString(), { mode: 0o600 });
        renameSync(`${path}.part`, path);
        return { ok: true, messageIds: [name] };
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        return {
          ok: false,
          error: `cannot write ${path}: ${reason}`,
          retryable: true,
          messageIds: [],
        };
      }
    },
  };
}

/** Sorts by time, and two mails of one alarm and second stay two. The alarm's name comes from a row. */
function fileName(mail: Mail): string {
  const time = new Date(mail.time * 1000).toISOString().slice(0, 19).replaceAll(":", "");
  return `${time}Z-${mail.alarm.replace(/[^A-Za-z0-9_-]/g, "_").slice(0, 100)}-${randomUUID().slice(0, 8)}.eml`;
}
