import { domainToASCII } from "node:url";
import MailComposer from "nodemailer/lib/mail-composer";
import { encodeWord } from "nodemailer/lib/mime-funcs";
import { alarmName } from "../core/event_key.ts";
import { linkAddresses } from "../message/links.ts";
import { headerText } from "../text/escape.ts";
import type { Outgoing } from "./channel.ts";

export type ComposedMail = Awaited<ReturnType<typeof composeMail>>;

export async function composeMail(mail: Outgoing, from: string, newline: "unix" | "windows") {
  // Not before the secrets are redacted: a link that ends inside a secret would hide it.
  const html = linkAddresses(mail.html);
  const sender = parseSender(from);
  const host = domainToASCII(sender.address.slice(sender.address.lastIndexOf("@") + 1));
  const alarm = headerWord(alarmName(mail.alarm));
  const date = new Date(mail.time * 1000);
  const messageId = `<${headerWord(mail.id)}@${host}>`;
  // No mail has this id. Mail programs show all mails that refer to it, those of an alarm and day, as one thread.
  const root = `<swf.${alarm}.${date.toISOString().slice(0, 10)}@${host}>`;
  const message = new MailComposer({
    from: sender,
    to: mail.recipients.map((address) => ({ name: "", address })),
    date,
    messageId,
    inReplyTo: root,
    references: root,
    headers: {
      Subject: { prepared: true, foldLines: true, value: encodeSubject(mail.subject) },
      "Auto-Submitted": "auto-generated",
      "X-Auto-Response-Suppress": "All",
      "List-Id": `<${alarm}.swf-alarms.${host}>`,
      "X-SWF-Notification": headerWord(mail.id),
    },
    text: mail.text,
    html,
    newline,
  }).compile();
  const envelope = message.getEnvelope();
  return {
    raw: await message.build(),
    html,
    messageId,
    /** Its From header, in ASCII. */
    from: message.encodeHeaderValue("From", sender),
    /** The sender's bare address, and the recipients', with domains in ASCII. */
    sender: envelope.from || sender.address,
    to: envelope.to,
  };
}

/** A name from a row or record may hold anything. */
function headerWord(text: string): string {
  return text.replace(/[^A-Za-z0-9_-]/g, "_").slice(0, 100) || "_";
}

/** `Name <address>` or an address. MailComposer would read a colon as a group and drop a comment. */
function parseSender(from: string): { readonly name: string; readonly address: string } {
  const [, name = "", address = from] = /^(.*)<([^<>]*)>$/.exec(from) ?? [];
  return { name: name.trim().replace(/^"(.*)"$/, "$1"), address };
}

/**
 * MailComposer folds a first word of more than 60 characters to the line after `Subject:`, which some
 * mail programs show as a leading blank, and does not encode what looks like an encoded word.
 */
function encodeSubject(subject: string): string {
  const text = headerText(subject);
  return /^(?!.*=\?)[!-~]{0,60}( [ -~]*)?$/.test(text) ? text : encodeWord(text, "B", 52);
}
