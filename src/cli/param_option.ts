import { type Command, InvalidArgumentError } from "commander";
import type { Alarm } from "../alarm/load_alarms.ts";
import { ENGINE } from "../core/event_key.ts";
import { resolveParams, unknownParams } from "../core/params.ts";
import { parseJson } from "../source/parse_json.ts";
import { attempt } from "../text/attempt.ts";
import { quote, showName } from "../text/describe.ts";
import type { JsonObject, JsonValue } from "../text/json.ts";
import { type ParamFile, readParamFile } from "./param_file.ts";

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

/** The values that were given, and names to `unset`, checked. Throws InvalidArgumentError. */
export function readParams(alarm: Alarm, options: ParamOptions, unset: Texts = []): JsonObject {
  const { param = [], paramFile } = options;
  return parseParams(
    alarm,
    param,
    unset,
    paramFile === undefined ? undefined : readParamFile(paramFile),
  );
}

/** `name=value` pairs as an alarm's module reads them, with those of a file. Throws InvalidArgumentError. */
export function parseParams(
  { row, module }: Alarm,
  texts: Texts,
  unset: Texts = [],
  file: ParamFile = { path: "", values: {} },
): JsonObject {
  const specs = module?.params ?? {};
  const pairs = texts.map((text): [string, JsonValue] => {
    const [, name, typed] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
    if (name === undefined || typed === undefined)
      throw new InvalidArgumentError(`found ${quote(text)}; write name=value`);
    return [name, specs[name]?.type === "string" ? typed : attempt(() => parseJson(typed), typed)];
  });
  const inFile = Object.keys(file.values);
  if (module === undefined && pairs.length + inFile.length > 0) {
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
      .filter((name) => inFile.includes(name))
      .map((name) => `parameter ${showName(name)} is given twice: also in ${file.path}`),
    ...faultsOf(given),
    ...faultsOf(file.values).map((fault) => `${file.path}: ${fault}`),
    ...unknownParams(unset, Object.keys({ ...specs, ...row.params })),
  ];
  if (faults.length > 0) throw new InvalidArgumentError([...new Set(faults)].join("; "));
  return { ...file.values, ...given };
}
