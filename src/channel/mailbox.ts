import { domainToASCII } from "node:url";
import { encodedWords, isAscii } from "./encoded_words.ts";

/** An address as services without SMTPUTF8 take it; undefined where there is no such form. */
export function asciiAddress(address: string): string | undefined {
  const at = address.lastIndexOf("@");
  const [local, domain] = [address.slice(0, at), address.slice(at + 1)];
  if (!isAscii(local)) return undefined;
  const ascii = isAscii(domain) ? domain : domainToASCII(domain);
  return ascii === "" ? undefined : `${local}@${ascii}`;
}

/** `name@host` or `Name <name@host>` in its parts, the name without its quotes. */
export function readMailbox(mailbox: string): { name: string; address: string } {
  const match = /^(.*)<([^<>]*)>$/s.exec(mailbox.trim());
  if (match === null) return { name: "", address: mailbox.trim() };
  const [, name = "", address = ""] = match;
  return { name: name.trim().replace(/^"(.*)"$/s, "$1"), address };
}

/** The mailbox as a header holds it: ASCII, its name quoted or encoded where it must be. */
export function headerMailbox({ name, address }: { name: string; address: string }): string {
  if (name === "") return address;
  if (!isAscii(name)) return `${encodedWords(name)} <${address}>`;
  const isPlain = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*$/.test(name);
  const shown = isPlain ? name : `"${name.replace(/\\?(["\\])/g, "\\$1")}"`;
  return `${shown} <${address}>`;
}
