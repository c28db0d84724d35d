import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BodyError } from "../../src/source/fetch_error.ts";
import { readAnswer } from "../../src/source/xmlrpc/read_answer.ts";
import { readCall } from "../../src/source/xmlrpc/read_call.ts";
import { writeAnswer } from "../../src/source/xmlrpc/write_answer.ts";
import { writeCall } from "../../src/source/xmlrpc/write_call.ts";
import { attempt } from "../../src/text/attempt.ts";
import type { JsonValue } from "../../src/text/json.ts";
import { anyText, jsonOver } from "./arbitraries.ts";
import { runs } from "./runs.ts";

/** Texts that XML can contain. */
const xmlText = anyText.map((text) =>
  text.toWellFormed().replace(/[^\t\n\r\x20-\uFFFD\u{10000}-\u{10FFFF}]/gu, "?"),
);
const value = jsonOver(xmlText);

/** As JSON has it: zero has no sign. */
function plain(given: JsonValue): JsonValue {
  return JSON.parse(JSON.stringify(given));
}

test("what is written as XML-RPC is read as it was", () => {
  fc.assert(
    fc.property(value, (given) => {
      expect(readAnswer(writeAnswer(given))).toEqual({ ok: true, value: plain(given) });
      expect(readCall(writeCall("a.b", [given, given]))).toEqual({
        method: "a.b",
        params: plain([given, given]),
      });
    }),
    runs(),
  );
});

/** Whether it is read, or refused as what is not XML-RPC; anything else is thrown. */
function read(body: string): boolean {
  try {
    return readAnswer(body).ok;
  } catch (error) {
    if (error instanceof BodyError) return false;
    throw error;
  }
}

test("whatever a service sends is read or refused", () => {
  fc.assert(
    fc.property(fc.oneof(anyText, fc.string({ unit: "binary" })), (body) => {
      expect(read(body)).toBe(false);
    }),
    runs(),
  );
  const tags = ["value", "struct", "member", "name", "array", "data", "int", "params", "param"];
  const piece = fc.oneof(
    fc.constantFrom(...tags.flatMap((tag) => [`<${tag}>`, `</${tag}>`, `<${tag}/>`])),
    fc.constantFrom("<![CDATA[", "]]>", "<!--", "-->", "<?a ?>", "&lt;", "&#0;", "&#x110000;"),
    fc.constantFrom("<!DOCTYPE a>", "<methodResponse>", "</methodResponse>", '<int a="1">'),
    anyText,
  );
  const changed = fc.tuple(
    value,
    fc.array(fc.tuple(fc.nat(), fc.nat(20), piece), { maxLength: 4 }),
  );
  fc.assert(
    fc.property(changed, ([given, changes]) => {
      const body = changes.reduce((text, [at, length, part]) => {
        const start = at % (text.length + 1);
        return text.slice(0, start) + part + text.slice(start + length);
      }, writeAnswer(given));
      read(body);
    }),
    runs(5),
  );
});

/** Python's own XML-RPC, whose lines of JSON are what it makes of such lines. */
function python(code: string, lines: readonly unknown[]): readonly unknown[] {
  const program = `import json, sys, xmlrpc.client as x\nfor line in sys.stdin:\n    given = json.loads(line)\n    print(json.dumps(${code}))`;
  const input = lines.map((line) => JSON.stringify(line)).join("\n");
  const { stdout, stderr } = spawnSync("python3", ["-c", program], {
    input,
    encoding: "utf8",
    maxBuffer: 2 ** 30,
  });
  if (stderr !== "") throw new Error(stderr);
  return stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}

const hasPython = spawnSync("python3", ["-c", "import xmlrpc.client"]).status === 0;
if (!hasPython) console.log("skipped: no python3 with xmlrpc.client");

describe.skipIf(!hasPython)("Python", () => {
  test("reads what is written", () => {
    const { numRuns, seed } = runs(3);
    const values = fc.sample(value, { numRuns, seed });
    const written = values.map((each) => writeCall("a.b", [each]));
    const heard = python("x.loads(given)", written);
    expect(heard).toEqual(values.map((each) => [[plain(each)], "a.b"]));
  });

  test("writes what is read", () => {
    const { numRuns, seed } = runs(3);
    // Python writes carriage returns as they are, which become line feeds, and no long integers.
    const text = xmlText.map((each) => each.replaceAll("\r", ""));
    const isLong = (part: JsonValue) => Number.isInteger(part) && Math.abs(Number(part)) >= 2 ** 31;
    const values = fc
      .sample(jsonOver(text), { numRuns, seed })
      .map((each) => JSON.parse(JSON.stringify(each, (_, part) => (isLong(part) ? 0.5 : part))));
    const written = python("x.dumps((given,), methodresponse=True, allow_none=True)", values);
    expect(written.map((each) => attempt(() => readAnswer(String(each)), each))).toEqual(
      values.map((each) => ({ ok: true, value: each })),
    );
  });
});
