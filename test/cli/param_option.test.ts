import { InvalidArgumentError } from "commander";
import { expect, test } from "vitest";
import { readParams } from "../../src/cli/param_option.ts";
import type { ParamSpecs } from "../../src/core/param_spec.ts";
import { alarmWith } from "../support/alarm_with.ts";

const SPECS: ParamSpecs = {
  rate: { type: "number", required: true, min: 0, description: "" },
  days: { type: "integer", description: "" },
  text: { type: "string", description: "" },
  order: { type: "string", choices: ["new", "old"], description: "" },
  quiet: { type: "boolean", description: "" },
  owners: { type: "list", description: "" },
};
/** A row may hold what its module no longer knows. */
const ALARM = alarmWith(SPECS, { rate: 0.5, former: 1 });

test.each<[text: string, value: unknown]>([
  ["rate=0.25", 0.25],
  ["rate=1e20", 1e20],
  ["rate= 3 ", 3],
  ["days=9007199254740991", 2 ** 53 - 1],
  ["text=9007199254740993", "9007199254740993"],
  ["text=1e400", "1e400"],
  ["text=true", "true"],
  ["text=null", "null"],
  ['text="x"', '"x"'],
  ['text=["a"]', '["a"]'],
  ["text=a=b\n c", "a=b\n c"],
  ["text=", ""],
  ["quiet=false", false],
  ['owners=["a","b"]', ["a", "b"]],
  ["owners=[]", []],
])("the type decides how %j is read", (text, value) => {
  const [name = ""] = text.split("=");
  expect(readParams(ALARM, { param: [text] })).toEqual({ [name]: value });
});

const LIST = `; write --param owners='["a","b"]'`;
const LIMIT = "; an integer is at most 9007199254740991";
test.each<[texts: readonly string[], unset: readonly string[], message: string]>([
  [["rate=lots"], [], 'parameter rate: must be a number, found "lots"'],
  [["rate=0x10"], [], 'parameter rate: must be a number, found "0x10"'],
  [["rate=-1"], [], "parameter rate: must be at least 0, found -1"],
  [["rate=1e400"], [], `parameter rate: must be a number, found "1e400", which is too large`],
  [["rate=9007199254740993"], [], `must be a number, found "9007199254740993"${LIMIT}`],
  [["days=-9007199254740993"], [], `must be an integer, found "-9007199254740993"${LIMIT}`],
  [["days=2.5"], [], "parameter days: must be an integer, found 2.5"],
  [["days="], [], 'parameter days: must be an integer, found ""'],
  [["quiet=yes"], [], 'parameter quiet: must be true or false, found "yes"'],
  [["order=fresh"], [], 'parameter order: must be one of "new", "old", found "fresh"'],
  [["owners=a,b"], [], `parameter owners: must be a list of strings, found "a,b"${LIST}`],
  [["owners=a"], [], `found "a"${LIST}`],
  [["owners=[a]"], [], `found "[a]"${LIST}`],
  [["owners=[1234567890123456789,2]"], [], `found ["1234567890123456789",2]${LIST}`],
  [["rat=1"], [], "unknown parameter rat (did you mean rate?)"],
  [["zzz=1"], [], "unknown parameter zzz (known: rate, days, text, order, quiet, owners)"],
  [["former=2"], [], "unknown parameter former"],
  [["constructor=1"], [], "unknown parameter constructor"],
  [["rate"], [], 'found "rate"; write name=value'],
  [["=1"], [], 'found "=1"; write name=value'],
  [["rate=1", "rate=2"], [], "parameter rate is given twice"],
  [["rate=1"], ["rate"], "parameter rate is given twice"],
  [[], ["days", "days"], "parameter days is given twice"],
  [[], ["rates"], "unknown parameter rates (did you mean rate?)"],
  [[], ["formr"], "unknown parameter formr (did you mean former?)"],
  [[], ["toString"], "unknown parameter toString"],
])("--param %j --unset %j is an error", (texts, unset, message) => {
  const parse = () => readParams(ALARM, { param: texts }, unset);
  expect(parse).toThrow(InvalidArgumentError);
  expect(parse).toThrow(message);
});

test("what the module or the row knows can be unset", () => {
  expect(readParams(ALARM, { param: ["days=1"] }, ["rate", "owners", "former"])).toEqual({
    days: 1,
  });
});

test("without its module an alarm's row can only lose parameters", () => {
  const alarm = { ...ALARM, module: undefined };
  expect(readParams(alarm, {}, ["rate"])).toEqual({});
  expect(() => readParams(alarm, { param: ["rate=1"] })).toThrow("its module is not loaded");
  expect(() => readParams(alarm, {}, ["days"])).toThrow("unknown parameter days");
});
