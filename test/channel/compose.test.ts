import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { composeMail } from "../../src/channel/compose.ts";
import { readEml } from "../support/eml.ts";
import { makeMail } from "../support/mails.ts";

describe("the From header", () => {
  test.each([
    ["a bare address", "alarms@host.example", "alarms@host.example"],
    ["a plain name", "SWF Alarms <alarms@host.example>", "SWF Alarms <alarms@host.example>"],
    ["brackets without a name", "<alarms@host.example>", "alarms@host.example"],
    ["a quoted comma", '"Alarms, SWF" <a@h.example>', '"Alarms, SWF" <a@h.example>'],
    ["a colon, which is no group", "Alarms: BNL <a@h.example>", '"Alarms: BNL" <a@h.example>'],
    ["a comment", "Alarms (BNL) <a@h.example>", '"Alarms (BNL)" <a@h.example>'],
    ["another script", "Größe <a@h.example>", "=?UTF-8?Q?Gr=C3=B6=C3=9Fe?= <a@h.example>"],
    ["an international domain", "A <a@höst.example>", "A <a@xn--hst-sna.example>"],
  ])("%s", async (_, from, expected) => {
    expect((await composeMail(makeMail(), from, "windows")).from).toBe(expected);
  });
});

test("any subject is one header in short ASCII lines, and reads back", async () => {
  const word = fc
    .string({ unit: "grapheme", maxLength: 80 })
    .filter((text) => !/\p{C}/u.test(text));
  await fc.assert(
    fc.asyncProperty(fc.array(word, { minLength: 1, maxLength: 4 }), async (words) => {
      const subject = words.join(" ").replace(/\s+/gu, " ").trim() || "x";
      const { raw } = await composeMail(makeMail({ subject }), "a@h.example", "windows");
      const [head = ""] = raw.toString().split("\r\n\r\n");
      expect(head).toMatch(/^[\t\r\n -~]*$/);
      for (const line of head.split("\r\n")) expect(line.length).toBeLessThanOrEqual(100);
      expect((await readEml(raw.toString())).subject).toBe(subject);
    }),
  );
});
