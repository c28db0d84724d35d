import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Outgoing } from "../../src/channel/channel.ts";
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

/** Its headers by name, as they are written. */
async function headersOf(more: Partial<Outgoing>, from = "Alarms <a@höst.example>") {
  const { raw } = await composeMail(makeMail(more), from, "unix");
  const [head = ""] = raw.toString().split("\n\n");
  const lines = head.replaceAll(/\n[ \t]+/g, " ").split("\n");
  return lines.map((line) => [line.replace(/:.*/, ""), line.replace(/^[^:]*: */, "")] as const);
}

const THREAD = "<swf.x.2026-11-21@xn--hst-sna.example>";

test("the headers say that the mail is automatic, whose it is, and which mails belong together", async () => {
  const found = await headersOf({ alarm: "alarm_x", id: "4c1f" });
  expect(new Set(found.map(([name]) => name.toLowerCase())).size).toBe(found.length);
  expect(Object.fromEntries(found)).toMatchObject({
    "Auto-Submitted": "auto-generated",
    "X-Auto-Response-Suppress": "All",
    "List-ID": "<x.swf-alarms.xn--hst-sna.example>",
    "X-Swf-Notification": "4c1f",
    "Message-ID": "<4c1f@xn--hst-sna.example>",
    "In-Reply-To": THREAD,
    References: THREAD,
  });
});

test.each([
  ["the day is that of UTC", { time: Date.UTC(2026, 10, 21, 23, 59, 59) / 1000 }, THREAD],
  [
    "the next day begins a thread",
    { time: Date.UTC(2026, 10, 22) / 1000 },
    THREAD.replace("21", "22"),
  ],
  ["another alarm has its own", { alarm: "alarm_y" }, THREAD.replace("swf.x", "swf.y")],
  ["a notification of the same day shares it", { id: "other", subject: "another" }, THREAD],
])("%s", async (_, more, root) => {
  expect(Object.fromEntries(await headersOf(more)).References).toBe(root);
});

test("whatever the name of an alarm or notification holds, no header begins or breaks in it", async () => {
  const usual = (await headersOf({})).map(([name]) => name);
  const word = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom("a\r\nBcc: b@h.example", "x>y", "", "é漢😀", "a b", "x".repeat(1_000)),
  );
  await fc.assert(
    fc.asyncProperty(word, word, async (alarm, id) => {
      const found = await headersOf({ alarm, id });
      expect(found.map(([name]) => name)).toEqual(usual);
      const { References: root = "", "Message-ID": own = "" } = Object.fromEntries(found);
      expect(root).toMatch(/^<swf\.[\w-]{1,100}\.2026-11-21@xn--hst-sna\.example>$/);
      expect(own).toMatch(/^<[\w-]{1,100}@xn--hst-sna\.example>$/);
    }),
  );
});
