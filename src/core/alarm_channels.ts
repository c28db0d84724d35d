import { quote } from "../text/describe.ts";
import { suggestion } from "../text/nearest.ts";

/** The channel that `[email]` sets up; alarms use it unless another one is a default. It need not be configured. */
export const EMAIL = "email";

/**
 * The channels of an alarm: those that its row names, else the default ones, else email. `faults` are names that the
 * configuration lacks, each with what to write.
 */
export function alarmChannels(
  named: readonly string[],
  configured: ReadonlyMap<string, { readonly isDefault: boolean }>,
): { readonly names: readonly string[]; readonly faults: readonly string[] } {
  if (named.length === 0) {
    const defaults = [...configured].filter(([, { isDefault }]) => isDefault);
    return { names: defaults.length > 0 ? defaults.map(([name]) => name) : [EMAIL], faults: [] };
  }
  const known = [...new Set([EMAIL, ...configured.keys()])];
  const faults = named
    .filter((name) => !known.includes(name))
    .map(
      (name) =>
        `the row names the channel ${quote(name)}, which is not in the configuration${suggestion(name, known)}; add [channels.NAME], or run: bin/swf-alarms alarm set NAME --channel ${known.join(" ")}`,
    );
  return { names: named.filter((name) => known.includes(name)), faults };
}
