import { custom, object, optional, picklist } from "valibot";
import { mailbox } from "../core/recipients.ts";
import type { Config, EmailConfig, Surroundings } from "./config.ts";
import { parseTable } from "./issue.ts";
import { resolvePath } from "./path.ts";
import { proxyFor } from "./proxy.ts";
import { httpUrl, pathLike, stringThat } from "./values.ts";

export const Email = object({
  provider: optional(picklist(["ses", "file"], 'must be "ses" or "file"'), "ses"),
  region: optional(
    stringThat('an AWS region such as "us-east-1"', (value) => /^[a-z0-9-]+$/.test(value)),
  ),
  from: optional(stringThat('an email address such as "alarms@host.example"', isSender)),
  endpoint: optional(httpUrl),
  dir: optional(pathLike("outbox")),
  operators: optional(
    custom<string[]>(
      (value) => Array.isArray(value) && value.every(isRecipient),
      'must be a list of email addresses and @teams, such as ["ops@host.example", "@ops"]',
    ),
    [],
  ),
});

/** Keys that mean something with one provider only. */
const ONLY = { ses: ["region", "endpoint"], file: ["dir"] } as const;

/** Without the table nothing is sent. */
export function parseEmail(
  table: unknown,
  around: Surroundings,
  faults: string[],
): Pick<Config, "email" | "operators"> | undefined {
  if (table === undefined) return { email: { provider: "none" }, operators: [] };
  const given = parseTable(Email, ["email"], table, faults);
  if (given === undefined) return undefined;
  const { provider, from, operators } = given;
  const other = provider === "ses" ? "file" : "ses";
  for (const key of ONLY[other]) {
    if (given[key] !== undefined)
      faults.push(
        `email.${key}: belongs to provider "${other}", found with "${provider}"; remove one`,
      );
  }
  if (provider === "ses" && from === undefined)
    faults.push(
      'email.from: missing; must be the sender that SES has verified, such as "alarms@host.example"',
    );
  const host = `email.${given.region ?? around.env.AWS_REGION ?? "us-east-1"}.amazonaws.com`;
  const proxy = proxyFor(given.endpoint ?? `https://${host}`, around.env, faults);
  const email: EmailConfig =
    provider === "ses"
      ? { provider, from: from ?? "", region: given.region, endpoint: given.endpoint, proxy }
      : {
          provider,
          from: from ?? "swf-alarms@localhost",
          dir: resolvePath(around.folder, given.dir ?? "outbox"),
        };
  return { email, operators };
}

/** One address, or the name of a team. */
function isRecipient(token: unknown): boolean {
  return typeof token === "string" && (/^@[^\s,;]+$/u.test(token) || mailbox(token) !== undefined);
}

/** A bare address, or `Name <address>`. */
function isSender(value: string): boolean {
  const inBrackets = /<([^<>]*)>$/.exec(value)?.[1];
  return !/\p{Cc}/u.test(value) && mailbox(inBrackets ?? value) !== undefined;
}
