import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InvalidArgumentError } from "commander";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readParamFile } from "../../src/cli/param_file.ts";
import { readParams } from "../../src/cli/param_option.ts";
import type { ParamSpecs } from "../../src/core/param_spec.ts";
import type { JsonObject } from "../../src/text/json.ts";
import { alarmWith } from "../support/alarm_with.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "swf-alarms-params-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, content: string | Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

test.each<[what: string, name: string, text: string, values: JsonObject]>([
  [
    "a list of tables in TOML",
    "a.toml",
    'rate = 0.5\n[[endpoints]]\nurl = "a"\nstatus = 404\n[[endpoints]]\nurl = "b"\ntags = ["x", "y"]\n',
    {
      rate: 0.5,
      endpoints: [
        { url: "a", status: 404 },
        { url: "b", tags: ["x", "y"] },
      ],
    },
  ],
  [
    "the same in JSON",
    "a.json",
    '{"rate": 0.5, "endpoints": [{"url": "a"}], "none": null}',
    { rate: 0.5, endpoints: [{ url: "a" }], none: null },
  ],
  ["no values in TOML", "none.toml", "# none\n", {}],
  ["no values in JSON", "none.json", "{}", {}],
  [
    "long integers, as their digits",
    "long.toml",
    "a = 9007199254740993\nb = 9007199254740991\nc = [-9223372036854775808]\n",
    { a: "9007199254740993", b: 9007199254740991, c: ["-9223372036854775808"] },
  ],
  ["the same in JSON", "long.json", '{"a": 9007199254740993}', { a: "9007199254740993" }],
  ["what is no number, as its text", "inf.toml", "a = inf\nb = nan\n", { a: "Infinity", b: "NaN" }],
  [
    "a date as its text",
    "date.toml",
    "a = 2026-11-21\nb = 10:05:00\n",
    { a: "2026-11-21", b: "10:05:00.000" },
  ],
])("a file may hold %s", (_, name, text, values) => {
  const path = write(name, text);
  expect(readParamFile(path)).toEqual(values);
});

test.each<[what: string, name: string, content: string | Buffer, message: string]>([
  ["another ending", "a.yaml", "a: 1", "the name of the file must end in .toml or .json, found "],
  ["no ending", "toml", "a = 1", "the name of the file must end in .toml or .json, found "],
  ["text that is not TOML", "bad.toml", "a = 1\nb = ]\n", "bad.toml: line 2, column 5: "],
  ["text that is not JSON", "bad.json", "a = 1", "bad.json: not JSON: a = 1"],
  [
    "a number that is too large",
    "large.json",
    '{"a": 1e400}',
    "large.json: the number 1e400 is too large",
  ],
  [
    "a list",
    "list.json",
    "[1]",
    "list.json: it must be an object of names and values of parameters, found [1]",
  ],
  [
    "bytes that are not UTF-8",
    "latin.toml",
    Buffer.from([0x61, 0xe9]),
    "latin.toml: line 1, column 2 is not UTF-8",
  ],
])("a file with %s is an error that names it", (_, name, content, message) => {
  const path = write(name, content);
  const read = () => readParamFile(path);
  expect(read).toThrow(InvalidArgumentError);
  expect(read).toThrow(message);
});

test("a file that does not exist is an error that names it", () => {
  const path = join(folder, "missing.toml");
  expect(() => readParamFile(path)).toThrow(`cannot read the parameters in ${path}: ENOENT`);
});

const SPECS: ParamSpecs = {
  rate: { type: "number", required: true, min: 0, description: "" },
  text: { type: "string", description: "" },
  endpoints: {
    type: "table",
    description: "",
    columns: {
      url: { type: "string", required: true, description: "" },
      status: { type: "integer", default: 200, description: "" },
    },
  },
};
const ALARM = alarmWith(SPECS);

test("values of a file and of --param count together, each as it is typed", () => {
  const paramFile = write("together.toml", 'text = "5"\n[[endpoints]]\nurl = "a"\n');
  expect(readParams(ALARM, { paramFile, param: ["rate=0.5"] })).toEqual({
    rate: 0.5,
    text: "5",
    endpoints: [{ url: "a" }],
  });
  expect(readParams(ALARM, { param: ['endpoints=[{"url":"a"}]'] })).toEqual({
    endpoints: [{ url: "a" }],
  });
});

test.each<[text: string, param: readonly string[], unset: readonly string[], message: string]>([
  ["rate = 1", ["rate=2"], [], "parameter rate is given twice: also in FILE"],
  ["rate = 1", [], ["rate"], "parameter rate is given twice: also in FILE"],
  ["rate = -1", [], [], "FILE: parameter rate: must be at least 0, found -1"],
  ["text = 5", [], [], "FILE: parameter text: must be a string, found 5"],
  ["rat = 1", [], [], "FILE: unknown parameter rat (did you mean rate?)"],
  [
    '[[endpoints]]\nurl = "a"\n[[endpoints]]\nurl = "b"\nstatus = "up"',
    [],
    [],
    'FILE: parameter endpoints[1].status: must be an integer, found "up"',
  ],
  [
    '[endpoints]\nurl = "a"',
    [],
    [],
    `FILE: parameter endpoints: must be a list of objects, found {"url":"a"}; write it as JSON, or use --param-file`,
  ],
  [
    "rate = -1\nzzz = 1\n[[endpoints]]\nstats = 1",
    ["text=x", "rte=1"],
    [],
    "unknown parameter rte (did you mean rate?); FILE: parameter rate: must be at least 0, found -1; " +
      "FILE: parameter endpoints[0].url: has no value; " +
      "FILE: parameter endpoints[0]: unknown column stats (did you mean status?); " +
      "FILE: unknown parameter zzz (known: rate, text, endpoints)",
  ],
])("the file %j with --param %j and --unset %j is an error", (text, param, unset, message) => {
  const paramFile = write("wrong.toml", text);
  const read = () => readParams(ALARM, { paramFile, param }, unset);
  expect(read).toThrow(InvalidArgumentError);
  expect(read).toThrow(new InvalidArgumentError(message.replaceAll("FILE", paramFile)));
});

test("without its module an alarm takes no values from a file either", () => {
  const paramFile = write("a.toml", "rate = 1");
  expect(() => readParams({ ...ALARM, module: undefined }, { paramFile })).toThrow(
    "its module is not loaded",
  );
});
