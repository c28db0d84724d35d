import type { Team } from "./model.ts";

export interface ResolvedRecipients {
  /** Addresses to mail, each once (letter case aside), in the order given. */
  readonly addresses: readonly string[];
  /** `@team` names that no team row answers, or whose team has no members. */
  readonly unresolved: readonly string[];
  /** Texts that are neither an address nor a team. */
  readonly invalid: readonly string[];
}

/** Splits what people type: spaces, commas, semicolons, line breaks and tabs all separate. */
export function splitRecipients(text: string): string[] {
  return text.split(/[\s,;]+/u).filter((token) => token !== "");
}

export interface RecipientTokens {
  readonly tokens: readonly string[];
  /** What is no text and cannot be one of the recipients. */
  readonly wrong: readonly unknown[];
}

/** The tokens of a `recipients` value as rows hold it: a string as typed, or an array of such. */
export function recipientTokens(value: unknown): RecipientTokens {
  if (value === undefined || value === null) return { tokens: [], wrong: [] };
  const given: readonly unknown[] = Array.isArray(value) ? value : [value];
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
  const add = (token: string): void => {
    const address = token.replace(/^<(.*)>$/u, "$1");
    if (!isAddress(address)) invalid.add(token);
    else if (!addresses.has(address.toLowerCase())) addresses.set(address.toLowerCase(), address);
  };
  for (const token of tokens) {
    if (!token.startsWith("@")) {
      add(token);
      continue;
    }
    const members = teams.get(token)?.members ?? [];
    if (members.length === 0) unresolved.add(token);
    for (const member of members) add(member);
  }
  return { addresses: [...addresses.values()], unresolved: [...unresolved], invalid: [...invalid] };
}

/**
 * Whether a mail service might take it. What is surely wrong must not reach one, nor may marks that
 * nobody sees; letters of other scripts are the channel's to judge.
 */
export function isAddress(text: string): boolean {
  return (
    text.length <= 320 &&
    /^[^\s@<>()[\]\\,;:"\p{Cc}\p{Cf}\p{Cs}]+@[^\s@<>()[\]\\,;:"\p{Cc}\p{Cf}\p{Cs}.]+(\.[^\s@<>()[\]\\,;:"\p{Cc}\p{Cf}\p{Cs}.]+)*$/u.test(
      text,
    )
  );
}
