import MailComposer from "nodemailer/lib/mail-composer";
import { encodeWord } from "nodemailer/lib/mime-funcs";
import { linkAddresses } from "../message/links.ts";
import { headerText } from "../text/escape.ts";
import type { Outgoing } from "./channel.ts";

export type ComposedMail = Awaited<ReturnType<typeof composeMail>>;

export async function composeMail(mail: Outgoing, from: string, newline: "unix" | "windows") {
  // Not before the secrets are redacted: a link that ends inside a secret would hide it.
  const html = linkAddresses(mail.html);
  const message = new MailComposer({
    from: parseSender(from),
    to: mail.recipients.map((address) => ({ name: "", address })),
    date: new Date(mail.time * 1000),
    headers: { Subject: { prepared: true, foldLines: true, value: encodeSubject(mail.subject) } },
    text: mail.text,
    html,
    newline,
  }).compile();
  return {
    raw: await message.build(),
    html,
    /** Its From header, in ASCII. */
    from: message.encodeHeaderValue("From", parseSender(from)),
    /** The recipients' bare addresses, domains in ASCII. */
    to: message.getEnvelope().to,
  };
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
