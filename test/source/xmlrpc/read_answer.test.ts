import { describe, expect, test } from "vitest";
import { BodyError } from "../../../src/source/fetch_error.ts";
import { type CallAnswer, readAnswer } from "../../../src/source/xmlrpc/read_answer.ts";
import { recordedAnswers } from "../../support/supervisord_answers.ts";

function answer(value: string): string {
  return `<?xml version="1.0"?>\n<methodResponse>\n<params>\n<param>\n<value>${value}</value>\n</param>\n</params>\n</methodResponse>\n`;
}

describe("a value", () => {
  test.each<readonly [sentence: string, xml: string, value: unknown]>([
    ["int", "<int>-5</int>", -5],
    ["i4, with blanks and a plus", "<i4> +07\n</i4>", 7],
    ["i8 that JavaScript can represent", "<i8>9007199254740991</i8>", 2 ** 53 - 1],
    ["a longer i8 is a text of its digits", "<i8>-9007199254740993</i8>", "-9007199254740993"],
    ["boolean", "<boolean>1</boolean>", true],
    ["the other boolean", "<boolean>0</boolean>", false],
    ["double", "<double>-2.50</double>", -2.5],
    ["double with an exponent", "<double>1e-300</double>", 1e-300],
    ["a large double stays a number", "<double>100000000000000000</double>", 1e17],
    ["string with its blanks", "<string> a\n b </string>", " a\n b "],
    ["an empty string", "<string/>", ""],
    ["a text without a type is a string", " a ", " a "],
    ["and so is nothing", "", ""],
    ["the five entities and numeric ones", "&lt;&amp;&gt;&quot;&apos;&#233;&#x1F600;", `<&>"'é😀`],
    ["CDATA", "<string>a<![CDATA[<b>&amp;]]>c</string>", "a<b>&amp;c"],
    ["a comment is no part of a text", "<string>a<!-- b -->c</string>", "ac"],
    [
      "control characters, which supervisord sends as they are",
      "<string>\u001b[31mred</string>",
      "\uFFFD[31mred",
    ],
    [
      "a time in the form that parseUtc reads",
      "<dateTime.iso8601>19980717T14:08:55</dateTime.iso8601>",
      "1998-07-17T14:08:55",
    ],
    [
      "a time in another form stays",
      "<dateTime.iso8601>1998-07-17T14:08:55Z</dateTime.iso8601>",
      "1998-07-17T14:08:55Z",
    ],
    ["base64 stays encoded, on one line", "<base64>\nYWJj\nZGVm\n</base64>", "YWJjZGVm"],
    ["nil", "<nil/>", null],
    ["nil with the prefix that Apache gives its extensions", "<ex:nil/>", null],
    ["an empty array", "<array><data/></array>", []],
    [
      "arrays in arrays",
      "<array><data>\n<value>a</value> <value><array><data><value><i4>1</i4></value></data></array></value></data></array>",
      ["a", [1]],
    ],
    ["an empty struct", "<struct/>", {}],
    [
      "a struct",
      "<struct>\n<member><name>a b</name>\n<value><int>1</int></value></member><member><name/><value/></member></struct>",
      { "a b": 1, "": "" },
    ],
    [
      "of two members with one name the last one",
      "<struct><member><name>a</name><value>1</value></member><member><name>a</name><value>2</value></member></struct>",
      { a: "2" },
    ],
  ])("%s", (_, xml, value) => {
    expect(readAnswer(answer(xml))).toEqual({ ok: true, value });
  });

  test("a member with the name __proto__ is one like any other", () => {
    const xml = "<struct><member><name>__proto__</name><value>a</value></member></struct>";
    const read: CallAnswer<object> = readAnswer(answer(xml));
    expect(read.ok && Object.keys(read.value)).toEqual(["__proto__"]);
  });

  test("may be nested hundreds deep", () => {
    const depth = 300;
    const xml = `${"<array><data><value>".repeat(depth)}${"</value></data></array>".repeat(depth)}`;
    expect(readAnswer(answer(xml)).ok).toBe(true);
  });
});

describe("a fault", () => {
  const member = (name: string, value: string) =>
    `<member><name>${name}</name><value>${value}</value></member>`;
  const fault = (...members: readonly string[]) =>
    `<methodResponse><fault><value><struct>${members.join("")}</struct></value></fault></methodResponse>`;

  test("is an answer", () => {
    const body = fault(member("faultCode", "<int>10</int>"), member("faultString", "BAD_NAME: x"));
    expect(readAnswer(body)).toEqual({ ok: false, code: 10, reason: "BAD_NAME: x" });
  });

  test.each([
    ["without a code", fault(member("faultString", "x"))],
    ["with a text as its code", fault(member("faultCode", "10"), member("faultString", "x"))],
    ["that is no struct", "<methodResponse><fault><value>x</value></fault></methodResponse>"],
  ])("%s is no XML-RPC", (_, body) => {
    expect(() => readAnswer(body)).toThrow("a fault without faultCode and faultString");
  });
});

describe("not XML-RPC is", () => {
  const whole = answer(
    "<struct><member><name>a</name><value><int>1</int></value></member></struct>",
  );

  test.each<readonly [sentence: string, body: string, reason: string]>([
    ["an empty body", " \n", "not XML-RPC: the body is empty"],
    ["a text", "hello", "not XML-RPC (1:5: text data outside of root node): hello"],
    ["JSON", '{"a":1}', '{"a":1}'],
    [
      "a sign-in page",
      "<!DOCTYPE html><html><head><title>Sign in</title></head></html>",
      'not XML-RPC (it has a document type declaration): HTML page "Sign in"',
    ],
    [
      "a sign-in page that is XML",
      "<html><head><title>Sign in</title></head></html>",
      'not XML-RPC (the root is html, not methodResponse): HTML page "Sign in"',
    ],
    ["a cut answer", whole.slice(0, -30), "unclosed tag"],
    ["two answers", whole + whole.slice(22), "not XML-RPC"],
    ["an entity that XML does not have", answer("&nbsp;"), "undefined entity"],
    [
      "entities that grow",
      `<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>${answer("&b;")}`,
      "it has a document type declaration",
    ],
    [
      "an entity that is a file",
      `<!DOCTYPE a [<!ENTITY a SYSTEM "file:///etc/passwd">]>${answer("&a;")}`,
      "it has a document type declaration",
    ],
    [
      "a body that only nests",
      `<methodResponse>${"<a>".repeat(10_000)}`,
      "its elements are nested more than 1000 deep",
    ],
    ["a call", "<methodCall><methodName>a</methodName></methodCall>", "the root is methodCall"],
    ["an answer without anything", "<methodResponse/>", "methodResponse has 0 elements in it"],
    ["one without a value", "<methodResponse><params/></methodResponse>", "params has 0 elements"],
    [
      "one with two values",
      answer("</value></param><param><value>"),
      "params has 2 elements in it, not one param",
    ],
    ["a value with two types", answer("<int>1</int><int>2</int>"), "value has 2 elements in it"],
    ["an unknown type", answer("<toString>1</toString>"), 'the unknown type "toString"'],
    ["an integer with a fraction", answer("<int>1.5</int>"), 'the integer "1.5"'],
    ["an integer without digits", answer("<int/>"), 'the integer ""'],
    ["an integer that is not decimal", answer("<int>0x10</int>"), 'the integer "0x10"'],
    ["a boolean in words", answer("<boolean>true</boolean>"), 'the boolean "true" is not 0 or 1'],
    ["a double that is none", answer("<double>nan</double>"), 'the double "nan" is not a number'],
    ["an endless double", answer("<double>1e400</double>"), 'the double "1e400" is not a number'],
    ["an empty double", answer("<double> </double>"), 'the double " " is not a number'],
    ["a type in a type", answer("<int><int>1</int></int>"), "int in int"],
    ["an array without data", answer("<array/>"), "array has 0 elements in it, not one data"],
    ["an array of other things", answer("<array><data><int>1</int></data></array>"), "int in data"],
    [
      "a struct of other things",
      answer("<struct><value>1</value></struct>"),
      "value in struct, not member",
    ],
    [
      "a member without a value",
      answer("<struct><member><name>a</name></member></struct>"),
      "a member of a struct is not a name and a value",
    ],
  ])("%s", (_, body, reason) => {
    expect(() => readAnswer(body)).toThrow(reason);
    expect(() => readAnswer(body)).toThrow(BodyError);
  });
});

describe("the recorded answers of a supervisord", () => {
  const recorded = recordedAnswers();

  test.each(recorded.map(({ file, body }) => [file, body] as const))("%s is read", (file, body) => {
    const read = readAnswer(body);
    if (file.includes("fault")) expect(read).toMatchObject({ ok: false, code: 10 });
    else expect(read.ok).toBe(true);
    if (!file.includes("getAllProcessInfo")) return;
    const processes: CallAnswer<readonly object[]> = readAnswer(body);
    expect(processes.ok && processes.value.length).toBeGreaterThan(5);
    for (const each of processes.ok ? processes.value : [])
      expect(each).toEqual({
        name: expect.any(String),
        group: expect.any(String),
        start: expect.any(Number),
        stop: expect.any(Number),
        now: expect.any(Number),
        state: expect.any(Number),
        statename: expect.stringMatching(/^[A-Z]+$/),
        spawnerr: expect.any(String),
        exitstatus: expect.any(Number),
        logfile: expect.any(String),
        stdout_logfile: expect.any(String),
        stderr_logfile: expect.any(String),
        pid: expect.any(Number),
        description: expect.any(String),
      });
  });

  test.skipIf(recorded.length === 0)("cut anywhere, none is read", () => {
    const { body = "" } = recorded.find(({ file }) => file.includes("getProcessInfo")) ?? {};
    for (let length = 0; length < body.trimEnd().length; length++)
      expect(() => readAnswer(body.slice(0, length))).toThrow(BodyError);
  });
});
