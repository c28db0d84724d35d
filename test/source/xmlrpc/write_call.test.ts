import { expect, test } from "vitest";
import { writeCall } from "../../../src/source/xmlrpc/write_call.ts";
import type { JsonValue } from "../../../src/text/json.ts";

test.each<readonly [sentence: string, param: JsonValue, xml: string]>([
  ["a text", "a", "<string>a</string>"],
  ["markup in a text", `<&>"'`, "<string>&lt;&amp;&gt;&quot;&#39;</string>"],
  ["a carriage return, which XML would turn into a line feed", "\r\n", "<string>&#13;\n</string>"],
  ["a whole number", 2, "<int>2</int>"],
  ["the largest int", 2 ** 31 - 1, "<int>2147483647</int>"],
  ["a longer one", 2 ** 31, "<i8>2147483648</i8>"],
  ["the smallest int", -(2 ** 31), "<int>-2147483648</int>"],
  ["minus zero", -0, "<int>0</int>"],
  ["a fraction", 0.5, "<double>0.5</double>"],
  ["a number that no integer type has exactly", 2 ** 60, `<double>${2 ** 60}</double>`],
  ["a boolean", true, "<boolean>1</boolean>"],
  ["null", null, "<nil/>"],
  [
    "a list",
    ["a", 1],
    "<array><data><value><string>a</string></value><value><int>1</int></value></data></array>",
  ],
  [
    "an object, without what is undefined",
    { a: 1, b: undefined },
    "<struct><member><name>a</name><value><int>1</int></value></member></struct>",
  ],
])("a parameter: %s", (_, param, xml) => {
  expect(writeCall("a.b", [param])).toBe(
    `<?xml version="1.0" encoding="UTF-8"?>\n<methodCall><methodName>a.b</methodName><params><param><value>${xml}</value></param></params></methodCall>`,
  );
});
