import { quote } from "../../text/describe.ts";
import { BodyError } from "../fetch_error.ts";
import { childrenOf, type Element, onlyChild } from "./read_xml.ts";

/** The types of XML-RPC, as JSON. */
const TYPES: { readonly [type: string]: (element: Element) => string } = {
  int: integer,
  i1: integer,
  i2: integer,
  i4: integer,
  i8: integer,
  boolean: ({ text }) => {
    const json = { 0: "false", 1: "true" }[text.trim()];
    if (json === undefined) throw new BodyError(`the boolean ${quote(text)} is not 0 or 1`);
    return json;
  },
  double: ({ text }) => {
    const number = Number(text);
    // As digits alone, a large one would be taken for a long integer.
    if (text.trim() !== "" && Number.isFinite(number)) return number.toExponential();
    throw new BodyError(`the double ${quote(text)} is not a number that JSON has`);
  },
  string: ({ text }) => JSON.stringify(text),
  // In the form that parseUtc reads.
  "dateTime.iso8601": ({ text }) =>
    JSON.stringify(text.trim().replace(/^(\d{4})(\d\d)(\d\d)T/, "$1-$2-$3T")),
  base64: ({ text }) => JSON.stringify(text.replace(/\s+/g, "")),
  nil: () => "null",
  array: (element) => `[${childrenOf(onlyChild(element, "data"), "value").map(jsonOf).join(",")}]`,
  struct: (element) => `{${childrenOf(element, "member").map(member).join(",")}}`,
};

/** Types with elements in them. */
const COMPOUND = ["array", "struct"];

/** For `readXml`: gives each `value` its JSON. The elements in it are dropped, so that a large answer needs little memory. */
export function foldValue(element: Element): void {
  if (element.name !== "value") return;
  element.json = valueJson(element);
  element.children.length = 0;
}

/** What `foldValue` has made of a value. */
export function jsonOf({ name, json }: Element): string {
  if (json === undefined) throw new BodyError(`${name} where a value is expected`);
  return json;
}

/** The value of a `param`. */
export function paramJson(param: Element): string {
  return jsonOf(onlyChild(param));
}

function valueJson(value: Element): string {
  if (value.children.length === 0) return JSON.stringify(value.text);
  const element = onlyChild(value);
  // Apache's extensions have a prefix: ex:nil, ex:i8.
  const type = element.name.replace(/^ex:/, "");
  const toJson = Object.hasOwn(TYPES, type) ? TYPES[type] : undefined;
  if (toJson === undefined) throw new BodyError(`the unknown type ${quote(element.name)}`);
  const [inside] = element.children;
  if (inside !== undefined && !COMPOUND.includes(type))
    throw new BodyError(`${inside.name} in ${element.name}`);
  return toJson(element);
}

/** Long ones are told from numbers later, as those of a JSON response are. */
function integer({ text }: Element): string {
  if (/^\s*[+-]?\d+\s*$/.test(text)) return BigInt(text).toString();
  throw new BodyError(`the integer ${quote(text)} has other characters than digits`);
}

function member({ children }: Element): string {
  const [name, value, ...more] = children;
  if (name?.name !== "name" || value === undefined || more.length > 0)
    throw new BodyError("a member of a struct is not a name and a value");
  return `${JSON.stringify(name.text)}:${jsonOf(value)}`;
}
