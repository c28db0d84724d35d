import { stringThat } from "../config/values.ts";
import { mailbox } from "../core/recipients.ts";

const WORDS = 'an email address such as "alarms@host.example"';

/** The sender of mails: a bare address, or `Name <address>`. */
export const sender = stringThat(WORDS, (value) => {
  const inBrackets = /<([^<>]*)>$/.exec(value)?.[1];
  return !/\p{Cc}/u.test(value) && mailbox(inBrackets ?? value) !== undefined;
});

export const MISSING_SENDER = `missing; must be ${WORDS}, which the mail service accepts as the sender`;
