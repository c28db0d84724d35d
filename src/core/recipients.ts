import { domainToASCII, domainToUnicode } from "node:url";
import { cut, quote } from "../text/describe.ts";
import { suggestion } from "../text/nearest.ts";
import type { Team } from "./model.ts";

/**
 * Splits what people type: spaces, commas, semicolons, line breaks and tabs all separate. Of `"Bee, Ann" <ann@h>` the
 * display name is dropped.
 */
export function splitRecipients(text: string): string[] {
  return text
    .replace(/(["'])[^"'<>]*\1\s*(?=<)/gu, " ")
    .split(/[,;\r\n]+/u)
    .flatMap((part) => part.replace(/^[^<>@]*(?=<)/u, "").split(/\s+/u))
    .filter((token) => token !== "");
}

/** The tokens of a `recipients` value as rows hold it: a string or an array of strings; any other value is kept as a text, which is not an address. */
export function recipientTokens(value: unknown): string[] {
  const given: readonly unknown[] = Array.isArray(value) ? value : [value ?? ""];
  return given.flatMap((item) => (typeof item === "string" ? splitRecipients(item) : quote(item)));
}

/**
 * Expands `@team` tokens; teams do not nest, and their names are case-sensitive. Returns each mailbox once, in the
 * order given, and what is neither an address nor a team with members, each with what to write. `wrong` lists all of
 * these, `faults` the first few.
 */
export function resolveRecipients(tokens: readonly string[], teams: ReadonlyMap<string, Team>) {
  const addresses = new Map<string, string>();
  const wrong = new Map<string, string>();
  for (const token of tokens) {
    const isTeam = token.startsWith("@");
    const members = isTeam ? (teams.get(token)?.members ?? []) : [token];
    if (members.length === 0) {
      const meant = suggestion(token, [...teams.keys()]);
      wrong.set(`team ${cut(token, 80)} does not exist or has no members${meant}`, token);
    }
    for (const member of members) {
      const address = mailbox(member);
      if (address === undefined)
        wrong.set(addressFault(member) + (isTeam ? ` in ${token}` : ""), member);
      else if (!addresses.has(address.toLowerCase())) addresses.set(address.toLowerCase(), address);
    }
  }
  const more = wrong.size > 5 ? [`and ${wrong.size - 5} more wrong recipients`] : [];
  return {
    addresses: [...addresses.values()],
    wrong: [...wrong].map(([reason, address]) => ({ address, reason })),
    faults: [...[...wrong.keys()].slice(0, 5), ...more],
  };
}

/** Why a text is not an address, with the one that was probably meant. */
export function addressFault(text: string): string {
  const meant = cut(text.normalize("NFKC"), 400)
    .replace(/^.*mailto:|^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$|\p{Cf}/giu, "")
    .replace(/([.@])[.@]*/g, "$1");
  return `${quote(text)} is not an email address; write ${mailbox(meant) ?? "one such as ann@example.org"}`;
}

/** At most 64 + 253 characters: dot-separated atoms, and the labels of a public host name. */
const ADDRESS =
  /^(?=\w[^@]{0,63}@.{4,253}$)[!#-'*+\-/-9=?A-Z^-~]+(\.[!#-'*+\-/-9=?A-Z^-~]+)*@([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$/;

/** The address as it is mailed, with its domain in ASCII; undefined if it is not an address. */
export function mailbox(text: string): string | undefined {
  const bare = cut(text.normalize("NFC"), 400).replace(/^<(.*)>$/u, "$1");
  const host = bare.slice(bare.indexOf("@") + 1);
  const domain = domainToASCII(host);
  const address = bare.slice(0, -host.length) + domain;
  // Node also decodes and drops characters, which could be an error of typing.
  const isAsTyped = [domain, domainToUnicode(domain)].includes(host.toLowerCase());
  return isAsTyped && ADDRESS.test(address) ? address : undefined;
}
