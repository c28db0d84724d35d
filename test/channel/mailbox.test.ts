import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { asciiAddress, headerMailbox, readMailbox } from "../../src/channel/mailbox.ts";

describe("an address for a service that takes ASCII alone", () => {
  test.each([
    ["an ASCII one stays", "o'neil+a@sub.host.example", "o'neil+a@sub.host.example"],
    ["a host of another script has an ASCII name", "a@höst.example", "a@xn--hst-sna.example"],
    ["letters of another script before the @ have none", "größe@host.example", undefined],
    ["nor has a host that cannot exist", "a@xn--ü.example", undefined],
    ["a line break is none", "a\r\nb@host.example", undefined],
  ])("%s", (_, address, expected) => {
    expect(asciiAddress(address)).toBe(expected);
  });
});

describe("a sender in a header", () => {
  test.each([
    ["a bare address", "alarms@host.example", "alarms@host.example"],
    ["a plain name", "SWF Alarms <alarms@host.example>", "SWF Alarms <alarms@host.example>"],
    ["brackets without a name", "<alarms@host.example>", "alarms@host.example"],
    ["a comma is quoted", "Alarms, SWF <a@h>", '"Alarms, SWF" <a@h>'],
    ["what is quoted stays so", '"Alarms, SWF" <a@h>', '"Alarms, SWF" <a@h>'],
    ["a quote inside is escaped", 'The "alarms" <a@h>', '"The \\"alarms\\"" <a@h>'],
    ["another script is encoded", "Größe <a@h>", "=?UTF-8?B?R3LDtsOfZQ==?= <a@h>"],
    ["it is encoded without its quotes", '"Größe" <a@h>', "=?UTF-8?B?R3LDtsOfZQ==?= <a@h>"],
    ["a line break is encoded", "A\r\nBcc: b@h <a@h>", "=?UTF-8?B?QQ0KQmNjOiBiQGg=?= <a@h>"],
  ])("%s", (_, from, expected) => {
    expect(headerMailbox(readMailbox(from))).toBe(expected);
  });

  test("whatever the name, the header is ASCII on one line, no word too long, and it reads back", () => {
    const name = fc
      .string({ unit: "grapheme", maxLength: 100 })
      .filter((text) => /[^ -~]/.test(text));
    fc.assert(
      fc.property(name, (given) => {
        const header = headerMailbox({ name: given, address: "a@h" });
        expect(header).toMatch(/^[\x20-\x7e]+ <a@h>$/);
        const words = header.slice(0, -" <a@h>".length).split(" ");
        for (const word of words) expect(word.length).toBeLessThanOrEqual(75);
        const read = words.map((word) =>
          Buffer.from(word.slice("=?UTF-8?B?".length, -2), "base64").toString("utf8"),
        );
        expect(read.join("")).toBe(given.toWellFormed());
      }),
    );
  });
});
