import { InvalidArgumentError } from "commander";
import type { Alarm } from "../alarm/load_alarms.ts";
import { ENGINE } from "../core/event_key.ts";
import { resolveParams, unknownParams } from "../core/params.ts";
import { parseJson } from "../source/parse_json.ts";
import { attempt } from "../text/attempt.ts";
import { quote, showName } from "../text/describe.ts";
import type { JsonObject, JsonValue } from "../text/json.ts";

type Texts = readonly string[];

/** `name=value` pairs as an alarm's module reads them, and names to `unset`. Throws InvalidArgumentError. */
export function parseParams({ row, module }: Alarm, texts: Texts, unset: Texts = []): JsonObject {
  const specs = module?.params ?? {};
  const pairs = texts.map((text): [string, JsonValue] => {
    const [, name, typed] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
    if (name === undefined || typed === undefined)
      throw new InvalidArgumentError(`found ${quote(text)}; write name=value`);
    return [name, specs[name]?.type === "string" ? typed : attempt(() => parseJson(typed), typed)];
  });
  if (module === undefined && pairs.length > 0) {
    const why =
      row.name === ENGINE ? "it is built in and has no parameters" : "its module is not loaded";
    throw new InvalidArgumentError(`${why}; see: bin/swf-alarms alarm show ${row.name}`);
  }
  const given = Object.fromEntries(pairs);
  const { faults, typos, unknown } = resolveParams(specs, given);
  const names = [...pairs.map(([name]) => name), ...unset];
  const twice = names.filter((name, index) => names.indexOf(name) < index);
  const [fault] = [
    ...twice.map((name) => `parameter ${showName(name)} is given twice`),
    ...faults,
    ...typos,
    ...unknown,
    ...unknownParams(unset, Object.keys({ ...specs, ...row.params })),
  ];
  if (fault !== undefined) throw new InvalidArgumentError(fault);
  return given;
}
