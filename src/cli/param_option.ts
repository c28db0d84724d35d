import { type Command, InvalidArgumentError } from "commander";
import type { Alarm } from "../alarm/load_alarms.ts";
import { ENGINE } from "../core/event_key.ts";
import { resolveParams, unknownParams } from "../core/params.ts";
import { parseJson } from "../source/parse_json.ts";
import { attempt } from "../text/attempt.ts";
import { quote, showName } from "../text/describe.ts";
import type { JsonObject, JsonValue } from "../text/json.ts";
import { readParamFile } from "./param_file.ts";

type Texts = readonly string[];

/** Values of parameters, as a person gives them. */
export interface ParamOptions {
  /** `name=value` each. */
  readonly param?: Texts;
  readonly paramFile?: string;
}

export function addParamOptions(command: Command, what: string): Command {
  return command
    .option("--param <name=value...>", what)
    .option(
      "--param-file <file>",
      "the same from a file: name = value, TOML or JSON by its ending",
    );
}

/** The values that were given, and names to `unset`, as the alarm's module reads them. Throws InvalidArgumentError. */
export function readParams(
  { row, module }: Alarm,
  { param = [], paramFile: path }: ParamOptions,
  unset: Texts = [],
): JsonObject {
  const specs = module?.params ?? {};
  const inFile = path === undefined ? {} : readParamFile(path);
  const pairs = param.map((text): [string, JsonValue] => {
    const [, name, typed] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
    if (name === undefined || typed === undefined)
      throw new InvalidArgumentError(`found ${quote(text)}; write name=value`);
    return [name, specs[name]?.type === "string" ? typed : attempt(() => parseJson(typed), typed)];
  });
  if (module === undefined && pairs.length + Object.keys(inFile).length > 0) {
    const why =
      row.name === ENGINE ? "it is built in and has no parameters" : "its module is not loaded";
    throw new InvalidArgumentError(`${why}; see: bin/swf-alarms alarm show ${row.name}`);
  }
  const given = Object.fromEntries(pairs);
  const faultsOf = (values: JsonObject): readonly string[] => {
    const { faults, typos, unknown } = resolveParams(specs, values);
    return [...faults, ...typos, ...unknown];
  };
  const names = [...pairs.map(([name]) => name), ...unset];
  const twice = names.filter((name, index) => names.indexOf(name) < index);
  const faults = [
    ...twice.map((name) => `parameter ${showName(name)} is given twice`),
    ...names
      .filter((name) => Object.hasOwn(inFile, name))
      .map((name) => `parameter ${showName(name)} is given twice: also in ${path}`),
    ...faultsOf(given),
    ...faultsOf(inFile).map((fault) => `${path}: ${fault}`),
    ...unknownParams(unset, Object.keys({ ...specs, ...row.params })),
  ];
  if (faults.length > 0) throw new InvalidArgumentError([...new Set(faults)].join("; "));
  return { ...inFile, ...given };
}
