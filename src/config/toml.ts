import { parse, TomlError } from "smol-toml";

/** A text that is not TOML; the message says where. */
export class TomlFault extends Error {}

/** The table that a TOML text is. Throws TomlFault. */
export function parseToml(text: string, integersAsBigInt: false | "asNeeded" = false): unknown {
  try {
    return parse(text, { integersAsBigInt });
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    // The parser's other lines quote the text, which may hold a secret.
    const [reason = error.message] = error.message.split("\n");
    throw new TomlFault(`line ${error.line}, column ${error.column}: ${reason}`);
  }
}
