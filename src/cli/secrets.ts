import type { Config } from "../config/config.ts";
import { environmentSecrets, secretsOf } from "../config/secrets.ts";
import { makeRedactor, type Redact } from "../text/redact.ts";

/** Process-wide, as errors come also from where no configuration is at hand. */
const known = new Set(environmentSecrets(process.env));
let redactKnown: Redact = makeRedactor([...known]);

/** From now on the secrets of this configuration, and of its channels and sources, are redacted. */
export function hideSecrets(
  config: Config,
  others: readonly { readonly secrets: readonly string[] }[] = [],
): void {
  const ofOthers = others.flatMap(({ secrets }) => secrets);
  for (const secret of [...secretsOf(config, process.env), ...ofOthers])
    if (secret !== "") known.add(secret);
  redactKnown = makeRedactor([...known]);
}

/** The text without any secret that is known so far. */
export function redact(text: string): string {
  return redactKnown(text);
}
