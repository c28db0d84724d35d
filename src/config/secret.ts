import { optional } from "valibot";
import type { SettingsPlace } from "./config.ts";
import { orFault, showPath } from "./issue.ts";
import { resolvePath } from "./path.ts";
import { pathLike, stringThat } from "./values.ts";

/** The schemas of `KEY_env` and `KEY_file`. */
export const secretVariable = optional(
  stringThat('the name of an environment variable such as "MY_SECRET"', (value) =>
    /^[A-Za-z_][A-Za-z0-9_]*$/.test(value),
  ),
);
export const secretFile = optional(pathLike("/etc/swf-alarms/secret"));

/**
 * A secret that a setting names: the value of an environment variable (`KEY_env`), or the text of a file with mode
 * 600 (`KEY_file`), without the line break at its end. Undefined if neither is given, or after a fault.
 */
export function readSecret(
  key: string,
  given: { readonly env: string | undefined; readonly file: string | undefined },
  { path, around, faults }: SettingsPlace,
): string | undefined {
  const { env: variable, file } = given;
  const at = (suffix: string): string => showPath([...path, `${key}${suffix}`]);
  if (variable !== undefined && file !== undefined) {
    faults.push(`${at("_env")} and ${key}_file: only one of them can be used; remove the other`);
    return undefined;
  }
  if (variable !== undefined) {
    const value = Object.hasOwn(around.env, variable) ? around.env[variable]?.trim() : undefined;
    if (value) return value;
    faults.push(
      `${at("_env")}: the environment variable ${variable} is not set; set it where the engine starts`,
    );
    return undefined;
  }
  if (file === undefined) return undefined;
  const absolute = resolvePath(around.folder, file);
  const before = faults.length;
  const text = orFault(at("_file"), faults, () => around.findText(absolute, "secret"))?.trim();
  if (!text && faults.length === before)
    faults.push(`${at("_file")}: ${absolute} ${text === "" ? "is empty" : "does not exist"}`);
  return text || undefined;
}
