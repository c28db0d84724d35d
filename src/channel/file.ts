import { randomUUID } from "node:crypto";
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createTransport } from "nodemailer";
import type { EmailConfig } from "../config/config.ts";
import { undelivered } from "../core/delivery.ts";
import { errorText } from "../text/describe.ts";
import type { Channel, Mail } from "./channel.ts";
import { headerSubject } from "./encoded_words.ts";

/** Writes each mail as an `.eml` file, which any mail program opens. */
export function fileChannel(config: Extract<EmailConfig, { provider: "file" }>): Channel {
  const composer = createTransport({ streamTransport: true, buffer: true, newline: "unix" });
  return {
    name: "file",
    deliver: async (mail) => {
      const name = fileName(mail);
      const path = join(config.dir, name);
      try {
        const { message } = await composer.sendMail({
          from: config.from,
          to: [...mail.recipients],
          date: dateOf(mail),
          headers: {
            Subject: { prepared: true, foldLines: true, value: headerSubject(mail.subject) },
          },
          text: mail.text,
          html: mail.html,
        });
        write(config.dir, path, message.toString());
        return {
          confirmed: mail.recipients,
          refused: [],
          pending: [],
          messageIds: [name],
          error: undefined,
        };
      } catch (error) {
        return undelivered(mail.recipients, {
          message: `cannot write ${path}: ${errorText(error)}`,
          retryable: true,
          scope: "channel",
          mayBeDelivered: false,
        });
      }
    },
  };
}

/** Whoever watches the folder must never see half a mail, and a full disk keeps none. */
function write(dir: string, path: string, text: string): void {
  const part = `${path}.part`;
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  try {
    writeFileSync(part, text, { mode: 0o600 });
    renameSync(part, path);
  } catch (error) {
    rmSync(part, { force: true });
    throw error;
  }
}

/** Sorts by time, and two mails of one alarm and second stay two. The alarm's name comes from a row. */
function fileName(mail: Mail): string {
  const time = dateOf(mail).toISOString().slice(0, -5).replaceAll(":", "");
  return `${time}Z-${mail.alarm.replace(/[^A-Za-z0-9_-]/g, "_").slice(0, 100)}-${randomUUID().slice(0, 8)}.eml`;
}

/** A clock that is far out of range is no reason to keep a mail back. */
function dateOf(mail: Mail): Date {
  const date = new Date(mail.time * 1000);
  return Number.isNaN(date.getTime()) ? new Date(0) : date;
}
