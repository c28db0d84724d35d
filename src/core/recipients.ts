import type { Team } from "./model.ts";

export interface ResolvedRecipients {
  /** Addresses to mail, each once (letter case aside), in the order given. */
  readonly addresses: readonly string[];
  /** `@team` names without a team row, or whose team has no members. */
  readonly unresolved: readonly string[];
  /** What is neither an address nor a team. */
  readonly invalid: readonly string[];
}

/** Splits what people type: spaces, commas, semicolons, line breaks and tabs all separate. */
export function splitRecipients(text: string): string[] {
  return text.split(/[\s,;]+/u).filter((token) => token !== "");
}

/** The tokens of a `recipients` value as rows hold it: a string or an array of strings; `wrong` is the rest. */
export function recipientTokens(value: unknown): {
  readonly tokens: readonly string[];
  readonly wrong: readonly unknown[];
} {
  const given: readonly unknown[] = Array.isArray(value) ? value : [value ?? ""];
  return {
    tokens: given.filter((item) => typeof item === "string").flatMap(splitRecipients),
    wrong: given.filter((item) => typeof item !== "string"),
  };
}

/** Expands `@team` tokens and drops duplicates. Teams do not nest; their names are case-sensitive. */
export function resolveRecipients(
  tokens: readonly string[],
  teams: ReadonlyMap<string, Team>,
): ResolvedRecipients {
  const addresses = new Map<string, string>();
  const unresolved = new Set<string>();
  const invalid = new Set<string>();
  for (const token of tokens) {
    const members = token.startsWith("@") ? (teams.get(token)?.members ?? []) : [token];
    if (members.length === 0) unresolved.add(token);
    for (const member of members) {
      const address = member.replace(/^<(.*)>$/u, "$1");
      if (!isAddress(address)) invalid.add(member);
      else if (!addresses.has(address.toLowerCase())) addresses.set(address.toLowerCase(), address);
    }
  }
  return { addresses: [...addresses.values()], unresolved: [...unresolved], invalid: [...invalid] };
}

/** Letters of other scripts only in the host, which mail writes in ASCII. */
const LOCAL_PART = String.raw`[!#-'*+\--9=?A-Z^-~]+`;
const HOST_PART = String.raw`[^\s@.<>()[\]\\,;:"\p{Cc}\p{Cf}\p{Cs}]+`;
const ADDRESS = new RegExp(`^${LOCAL_PART}@${HOST_PART}(\\.${HOST_PART})*$`, "u");

/** Whether a mail service might accept it. */
export function isAddress(text: string): boolean {
  return text.length <= 320 && ADDRESS.test(text);
}
