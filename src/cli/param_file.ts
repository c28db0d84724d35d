import { extname } from "node:path";
import { InvalidArgumentError } from "commander";
import { readRegularFile } from "../config/regular_file.ts";
import { parseToml } from "../config/toml.ts";
import { parseJson } from "../source/parse_json.ts";
import { decodeText } from "../text/decode.ts";
import { errorText, quote } from "../text/describe.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../text/json.ts";

/** Reads names and values of parameters from a file. Throws InvalidArgumentError. */
export function readParamFile(path: string): JsonObject {
  const parse = { ".toml": tomlValues, ".json": parseJson }[extname(path)];
  if (parse === undefined)
    throw new InvalidArgumentError(
      `--param-file: the name of the file must end in .toml or .json, found ${quote(path)}`,
    );
  try {
    const values = parse(decodeText(readRegularFile(path)));
    if (isJsonObject(values)) return values;
    throw new Error(
      `it must be an object of names and values of parameters, found ${quote(values)}`,
    );
  } catch (error) {
    throw new InvalidArgumentError(`cannot read the parameters in ${path}: ${errorText(error)}`);
  }
}

/** As parseJson reads the same values. Dates and times become their text. */
function tomlValues(text: string): JsonValue {
  const table = parseToml(text, "asNeeded");
  return JSON.parse(
    JSON.stringify(table, (_key, value: unknown) => {
      const isPlain =
        typeof value === "number" ? Number.isFinite(value) : typeof value !== "bigint";
      return isPlain ? value : String(value);
    }),
  );
}
