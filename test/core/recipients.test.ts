import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Team } from "../../src/core/model.ts";
import {
  addressFault,
  mailbox,
  recipientTokens,
  resolveRecipients,
  splitRecipients,
} from "../../src/core/recipients.ts";

describe("what people type is split", () => {
  const rows: readonly [string, string, readonly string[]][] = [
    ["an empty text is empty", "", []],
    ["blanks alone are empty", " \n\t", []],
    ["a comma separates", "a@h,b@h", ["a@h", "b@h"]],
    ["display names are dropped", "Dr. A Bee <a@h>, B<b@h>", ["<a@h>", "<b@h>"]],
    ["in quotes they may have commas", `"Lee, Ann" <a@h>; 'b@h' <b@h>`, ["<a@h>", "<b@h>"]],
    ["an address is not a display name", "a@h @ops c.h <b@h>", ["a@h", "@ops", "c.h", "<b@h>"]],
    ["a semicolon separates", "a@h;b@h", ["a@h", "b@h"]],
    [
      "a blank, a tab and line breaks separate",
      "a@h b@h\tc@h\nd@h\r\ne@h",
      ["a@h", "b@h", "c@h", "d@h", "e@h"],
    ],
    ["many separators are one", ", a@h ,;\n b@h ;", ["a@h", "b@h"]],
    ["a blank of another script separates too", "a@h\u00a0b@h\u2028c@h", ["a@h", "b@h", "c@h"]],
    ["a team's name is a token", "@ops, a@h", ["@ops", "a@h"]],
  ];
  test.each(rows)("%s", (_, text, tokens) => {
    expect(splitRecipients(text)).toEqual(tokens);
  });

  test("a page pasted by mistake is split as quickly as any text", () => {
    for (const word of ["see the list ", "\"a' ", "<a ", " \t", "a@h <"])
      expect(splitRecipients(word.repeat(200_000)).length).toBeLessThan(600_001);
  });
});

describe("recipients in a row", () => {
  const rows: readonly [string, unknown, readonly string[]][] = [
    ["a text is split", "a@h, b@h", ["a@h", "b@h"]],
    ["a list is taken item by item", ["a@h", "@ops"], ["a@h", "@ops"]],
    ["each item is split too", ["a@h b@h", " "], ["a@h", "b@h"]],
    ["undefined is empty", undefined, []],
    ["null is empty", null, []],
    ["an empty list is empty", [], []],
    ["what is not a string stays, and is no address", ["a@h", 5, null], ["a@h", "5", "null"]],
    ["so does an object, in one piece", { to: "a@h, b@h" }, ['{"to":"a@h, b@h"}']],
  ];
  test.each(rows)("%s", (_, value, tokens) => {
    expect(recipientTokens(value)).toEqual(tokens);
  });
});

function team(name: string, members: readonly string[]): [string, Team] {
  return [name, { name, title: "", members }];
}

const TEAMS = new Map([
  team("@ops", ["ann@h.example", "bob@h.example"]),
  team("@more", ["bob@h.example", "cy@h.example"]),
  team("@empty", []),
  team("@bad", ["dee@h.example", "ann@h.example\r\nBcc: eve@h.example"]),
  team("@outer", ["@ops"]),
]);

type Resolved = Partial<ReturnType<typeof resolveRecipients>>;

const NO_TEAM = "does not exist or has no members";
const NO_ADDRESS = "is not an email address; write";
const EXAMPLE = "one such as ann@example.org";

describe("recipients are resolved to addresses", () => {
  const rows: readonly [string, readonly string[], Resolved][] = [
    ["no recipients", [], {}],
    ["an address is itself", ["a@h.example"], { addresses: ["a@h.example"] }],
    ["a team is its members", ["@ops"], { addresses: ["ann@h.example", "bob@h.example"] }],
    [
      "the order given is kept",
      ["z@h.example", "@ops", "a@h.example"],
      { addresses: ["z@h.example", "ann@h.example", "bob@h.example", "a@h.example"] },
    ],
    [
      "letter case aside, an address is mailed once; the first way to write it counts",
      ["A@h.example", "a@H.example", "a@h.example"],
      { addresses: ["A@h.example"] },
    ],
    [
      "an address of another script, its punycode and its decomposed form are one mailbox",
      ["x@bücher.example", "X@xn--bcher-kva.example", "x@BU\u0308CHER.example"],
      { addresses: ["x@xn--bcher-kva.example"] },
    ],
    [
      "a member of two teams, or who is given as well, is mailed once",
      ["BOB@h.example", "@ops", "@more"],
      { addresses: ["BOB@h.example", "ann@h.example", "cy@h.example"] },
    ],
    ["angle brackets are taken off", ["<a@h.example>"], { addresses: ["a@h.example"] }],
    ["a team without a row", ["@nobody", "@nobody"], { faults: [`team @nobody ${NO_TEAM}`] }],
    ["a team without members", ["@empty"], { faults: [`team @empty ${NO_TEAM}`] }],
    [
      "the case of its name counts",
      ["@Ops"],
      { faults: [`team @Ops ${NO_TEAM} (did you mean "@ops"?)`] },
    ],
    ["a lone @", ["@"], { faults: [`team @ ${NO_TEAM}`] }],
    [
      "a name that every object has",
      ["@constructor"],
      { faults: [`team @constructor ${NO_TEAM}`] },
    ],
    ["teams do not nest", ["@outer"], { faults: [`"@ops" ${NO_ADDRESS} ${EXAMPLE} in @outer`] }],
    [
      "the wrong ones keep no one else from the mail",
      ["@nobody", "ops", "a@h.example"],
      {
        addresses: ["a@h.example"],
        faults: [`team @nobody ${NO_TEAM}`, `"ops" ${NO_ADDRESS} ${EXAMPLE}`],
      },
    ],
    [
      "a line break in a member adds no header",
      ["@bad"],
      {
        addresses: ["dee@h.example"],
        faults: [`"ann@h.example\\r\\nBcc: eve@h.example" ${NO_ADDRESS} ${EXAMPLE} in @bad`],
      },
    ],
    [
      "of many wrong ones five are listed and the others counted",
      ["1", "2", "3", "4", "5", "6", "7"],
      {
        faults: [
          ...["1", "2", "3", "4", "5"].map((text) => `"${text}" ${NO_ADDRESS} ${EXAMPLE}`),
          "and 2 more wrong recipients",
        ],
      },
    ],
  ];
  test.each(rows)("%s", (_, tokens, expected) => {
    const { wrong, ...found } = resolveRecipients(tokens, TEAMS);
    expect(found).toEqual({ addresses: [], faults: [], ...expected });
    expect(wrong.slice(0, 5).map(({ reason }) => reason)).toEqual(found.faults.slice(0, 5));
  });
});

describe("an address", () => {
  test.each([
    ["a@h.example", undefined],
    ["First.Last@Host.Example", "First.Last@host.example"],
    ["o'neil+alarms@sub.host.example", undefined],
    ["user%relay@host-1.example", undefined],
    ["_ops@h.example", undefined],
    ["groesse@höst.example", "groesse@xn--hst-sna.example"],
    ["x@пример.рф", "x@xn--e1afmkfd.xn--p1ai"],
    ["x@faß.example", "x@xn--fa-hia.example"],
    [`${"a".repeat(64)}@${"b".repeat(63)}.example`, undefined],
  ])("%s is one", (text, mailed) => {
    expect(mailbox(text)).toBe(mailed ?? text);
  });

  // The last column is what was probably meant.
  test.each([
    ["nothing", "", undefined],
    ["no @", "host.example", undefined],
    ["nothing before the @", "@host.example", undefined],
    ["nothing after the @", "a@", undefined],
    ["two @", "a@b@host.example", undefined],
    ["a doubled @", "ben@@example.org", "ben@example.org"],
    ["a host without a dot", "ben@example", undefined],
    ["a dot at the end", "ben@example.org.", "ben@example.org"],
    ["a dot at the start", ".ben@example.org", "ben@example.org"],
    ["two dots in the name", "ben..x@example.org", "ben.x@example.org"],
    ["two dots in the host", "ben@example..org", "ben@example.org"],
    ["a dot before the @", "ben.@example.org", undefined],
    ["a scheme", "mailto:ben@example.org", "ben@example.org"],
    ["a link of Markdown", "[ben@example.org](mailto:ben@example.org)", "ben@example.org"],
    ["a comment mark", "#ben@example.org", "ben@example.org"],
    ["a bullet", "-ben@example.org", "ben@example.org"],
    ["a wide comma at the end", "ben@example.org，", "ben@example.org"],
    ["a wide comma between two", "ben@example.org，amy@example.org", undefined],
    ["a wide @", "ben＠example.org", "ben@example.org"],
    ["wide letters", "ben@ｅxample.org", "ben@example.org"],
    ["a wide full stop", "ben@example。org", undefined],
    ["smart quotes", "“ben@example.org”", "ben@example.org"],
    ["quotes", "'ben@example.org'", "ben@example.org"],
    ["an open bracket", "<ben@example.org", "ben@example.org"],
    ["an invisible space", "ben@exam\u200Bple.org", "ben@example.org"],
    ["a soft hyphen", "ben@exam\u00ADple.org", "ben@example.org"],
    ["a mark that turns the writing", "a\u202Eb@host.example", "ab@host.example"],
    ["an underscore in the host", "ben@exa_mple.org", undefined],
    ["a percent code", "ben@ex%61mple.org", undefined],
    ["a port", "ben@example.org:25", undefined],
    ["a label that begins with a hyphen", "ben@-example.org", undefined],
    ["a top domain of one letter", "ben@example.o", undefined],
    ["a number", "a@1.2.3.4", undefined],
    ["a literal", "a@[127.0.0.1]", undefined],
    ["wrong punycode", "a@xn--zzzzzz---.example", undefined],
    ["a blank", "a b@host.example", undefined],
    ["a header behind it", "a@host.example\r\nBcc: b@host.example", undefined],
    ["a NUL", "a\0@host.example", undefined],
    ["a comma", "a,b@host.example", undefined],
    ["letters of another script before the @", "größe@host.example", undefined],
    ["a backslash", "a\\@host.example", undefined],
    ["65 letters before the @", `${"a".repeat(65)}@host.example`, undefined],
    ["a label of 64 letters", `a@${"b".repeat(64)}.example`, undefined],
    ["a host of 255 letters", `a@${"b.".repeat(124)}example`, undefined],
  ])("with %s is not one", (_, text, meant) => {
    expect(mailbox(text)).toBeUndefined();
    const fault = addressFault(text);
    expect(fault).toContain(`${NO_ADDRESS} ${meant ?? EXAMPLE}`);
    expect(fault).toMatch(/^[^\p{Cc}\p{Cf}]+$/u);
  });

  test("long texts are checked quickly", () => {
    for (const text of [`a@${"a.".repeat(155)}!@`, "!".repeat(1e6), "mailto:".repeat(1e5)])
      expect(addressFault(text)).toContain(EXAMPLE);
  });
});

test("any input: each mailbox is mailed once, and no token is lost", () => {
  const token = fc.oneof(
    fc.constantFrom(
      "@ops",
      "@more",
      "@empty",
      "@no",
      "a@h.example",
      "A@h.example",
      "x",
      "\r\nBcc:",
    ),
    fc.string({ unit: "binary" }),
    fc.emailAddress(),
  );
  fc.assert(
    fc.property(fc.array(token), (tokens) => {
      const split = recipientTokens(tokens);
      const { addresses, faults } = resolveRecipients(split, TEAMS);
      expect(new Set(addresses.map((address) => address.toLowerCase())).size).toBe(
        addresses.length,
      );
      for (const address of addresses) expect(mailbox(address)).toBe(address);
      for (const each of split) {
        const alone = resolveRecipients([each], TEAMS);
        expect(alone.addresses.length + alone.faults.length).toBeGreaterThan(0);
        expect(faults.length > 5 || alone.faults.every((fault) => faults.includes(fault))).toBe(
          true,
        );
      }
    }),
  );
});
