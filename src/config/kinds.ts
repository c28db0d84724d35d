import type { InferOutput, ObjectEntries, ObjectSchema } from "valibot";
import { quote } from "../text/describe.ts";
import { hint, suggestion } from "../text/nearest.ts";
import type { SettingsPlace, SettingsTable } from "./config.ts";
import { parseTable, showPath } from "./issue.ts";

/** A kind of channel or of source: its settings, and what opens one that has them. */
export interface Kind<Opener> {
  readonly keys: readonly string[];
  /** Undefined where a setting has the wrong form. After another fault only its secrets are of use. */
  readonly configure: (settings: object, place: SettingsPlace) => Opener | undefined;
}

/** By the name that the configuration has for them. */
export interface Kinds<Opener> {
  readonly [name: string]: Kind<Opener>;
}

/** Makes kinds by their settings. Their `configure` gets parsed settings; it may add faults. */
export function kindMaker<Opener>() {
  return <Entries extends ObjectEntries>(
    schema: ObjectSchema<Entries, string | undefined>,
    configure: (
      settings: InferOutput<ObjectSchema<Entries, string | undefined>>,
      place: SettingsPlace,
    ) => Opener | undefined,
  ): Kind<Opener> => ({
    keys: Object.keys(schema.entries),
    configure: (settings, place) => {
      const parsed = parseTable(schema, place.path, settings, place.faults);
      return parsed && configure(parsed, place);
    },
  });
}

/** How a table says of which kind it is. */
export interface KindChoice {
  /** The key, such as `type`, and its value. */
  readonly key: string;
  readonly given: unknown;
  /** The keys that tables of every kind have. */
  readonly common: readonly string[];
}

/**
 * The kind that a table names, and the settings that are its own: what the other keys belong to is known only with the
 * kind. What is wrong with either is added to `faults`.
 */
export function chooseKind<Opener>(
  kinds: Kinds<Opener>,
  { key: kindKey, given, common }: KindChoice,
  { path, settings }: SettingsTable,
  faults: string[],
): { readonly name: string; readonly kind: Kind<Opener> | undefined; readonly own: object } {
  const names = Object.keys(kinds);
  const name = typeof given === "string" ? given : "";
  const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
  const at = (key: string): string => showPath([...path, key]);
  if (kind === undefined) faults.push(`${at(kindKey)}: ${kindFault(given, names)}`);
  const foreign = Object.keys(settings).filter((key) => kind && !kind.keys.includes(key));
  for (const key of foreign) {
    const owners = names.filter((other) => kinds[other]?.keys.includes(key));
    const fault =
      owners.length === 0
        ? `unknown key${hint(key, [...(kind?.keys ?? []), ...common])}`
        : `belongs to ${kindKey} ${owners.map(quote).join(" or ")}, found with "${name}"; remove one`;
    faults.push(`${at(key)}: ${fault}`);
  }
  const own = Object.entries(settings).filter(([key]) => !foreign.includes(key));
  return { name, kind, own: Object.fromEntries(own) };
}

function kindFault(given: unknown, names: readonly string[]): string {
  const words = `must be one of ${names.map(quote).join(", ")}`;
  if (given === undefined) return `missing; ${words}`;
  const near = typeof given === "string" ? suggestion(given, names) : "";
  return `${words}; found ${quote(given)}${near}`;
}
