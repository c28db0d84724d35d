import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Team } from "../../src/core/model.ts";
import {
  isAddress,
  type ResolvedRecipients,
  recipientTokens,
  resolveRecipients,
  splitRecipients,
} from "../../src/core/recipients.ts";

describe("what people type is split", () => {
  const rows: readonly [string, string, readonly string[]][] = [
    ["an empty text is empty", "", []],
    ["blanks alone are empty", " \n\t", []],
    ["a comma separates", "a@h,b@h", ["a@h", "b@h"]],
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
});

describe("recipients in a row", () => {
  const rows: readonly [string, unknown, readonly string[], readonly unknown[]][] = [
    ["a text is split", "a@h, b@h", ["a@h", "b@h"], []],
    ["a list is taken item by item", ["a@h", "@ops"], ["a@h", "@ops"], []],
    ["each item is split too", ["a@h b@h", " "], ["a@h", "b@h"], []],
    ["undefined is empty", undefined, [], []],
    ["null is empty", null, [], []],
    ["an empty list is empty", [], [], []],
    [
      "what is not a string in a list is reported, the others are kept",
      ["a@h", 5, "b@h"],
      ["a@h", "b@h"],
      [5],
    ],
    ["null in a list is reported", [null], [], [null]],
    ["an object is reported", { to: "a@h" }, [], [{ to: "a@h" }]],
    ["a number is reported", 5, [], [5]],
    ["false is reported", false, [], [false]],
  ];
  test.each(rows)("%s", (_, value, tokens, wrong) => {
    expect(recipientTokens(value)).toEqual({ tokens, wrong });
  });
});

function team(name: string, members: readonly string[]): [string, Team] {
  return [name, { name, title: "", members }];
}

const TEAMS = new Map([
  team("@ops", ["ann@h.example", "bob@h.example"]),
  team("@more", ["bob@h.example", "cy@h.example"]),
  team("@empty", []),
  team("@bad", ["no address", "dee@h.example", "ann@h.example\r\nBcc: eve@h.example"]),
  team("@outer", ["@ops"]),
]);

describe("recipients are resolved to addresses", () => {
  const rows: readonly [string, readonly string[], Partial<ResolvedRecipients>][] = [
    ["no recipients", [], {}],
    ["an address is itself", ["a@h.example"], { addresses: ["a@h.example"] }],
    ["a team is its members", ["@ops"], { addresses: ["ann@h.example", "bob@h.example"] }],
    [
      "the order given is kept",
      ["z@h.example", "@ops", "a@h.example"],
      { addresses: ["z@h.example", "ann@h.example", "bob@h.example", "a@h.example"] },
    ],
    ["an address given twice is mailed once", ["a@h", "a@h"], { addresses: ["a@h"] }],
    ["letter case aside; the first way to write it counts", ["A@h", "a@H"], { addresses: ["A@h"] }],
    [
      "a member of two teams is mailed once",
      ["@ops", "@more"],
      { addresses: ["ann@h.example", "bob@h.example", "cy@h.example"] },
    ],
    [
      "a member who is given as well is mailed once",
      ["BOB@h.example", "@more"],
      { addresses: ["BOB@h.example", "cy@h.example"] },
    ],
    ["a team without a row is reported", ["@nobody"], { unresolved: ["@nobody"] }],
    ["a team without members is reported", ["@empty"], { unresolved: ["@empty"] }],
    ["it is reported once", ["@nobody", "@nobody"], { unresolved: ["@nobody"] }],
    ["the case of a team's name counts", ["@Ops"], { unresolved: ["@Ops"] }],
    ["a lone @ is not a team", ["@"], { unresolved: ["@"] }],
    [
      "a property that every object has is not a team",
      ["@constructor"],
      { unresolved: ["@constructor"] },
    ],
    ["teams do not nest", ["@outer"], { invalid: ["@ops"] }],
    [
      "an unresolved team does not keep the others from their mail",
      ["@nobody", "a@h"],
      { addresses: ["a@h"], unresolved: ["@nobody"] },
    ],
    ["what is not an address is reported, not mailed", ["ops"], { invalid: ["ops"] }],
    ["it is reported once", ["ops", "ops"], { invalid: ["ops"] }],
    ["angle brackets are taken off", ["<a@h>"], { addresses: ["a@h"] }],
    ["an unclosed bracket is wrong", ["<a@h"], { invalid: ["<a@h"] }],
    [
      "a member that is not an address is reported, the others are mailed; a line break cannot add a header",
      ["@bad"],
      {
        addresses: ["dee@h.example"],
        invalid: ["no address", "ann@h.example\r\nBcc: eve@h.example"],
      },
    ],
  ];
  test.each(rows)("%s", (_, tokens, expected) => {
    expect(resolveRecipients(tokens, TEAMS)).toEqual({
      addresses: [],
      unresolved: [],
      invalid: [],
      ...expected,
    });
  });
});

describe("an address", () => {
  test.each([
    "a@h",
    "first.last@host.example",
    "o'neil+alarms@sub.host.example",
    "user%relay@host-1.example",
    "groesse@höst.example",
    `${"a".repeat(64)}@${"b".repeat(255)}`,
  ])("%s is one", (text) => {
    expect(isAddress(text)).toBe(true);
  });

  test.each([
    ["no text at all", ""],
    ["no @", "host.example"],
    ["nothing before the @", "@host.example"],
    ["nothing after the @", "a@"],
    ["two @", "a@b@host.example"],
    ["a blank", "a b@host.example"],
    ["a blank at the end", "a@host.example "],
    ["a line break at the end", "a@host.example\n"],
    ["a header behind it", "a@host.example\r\nBcc: b@host.example"],
    ["a NUL", "a\0@host.example"],
    ["a control character", "a@host\u001b.example"],
    ["a line separator", "a@host\u2028.example"],
    ["a dot at the end", "a@host."],
    ["a dot at the start of the host", "a@.host"],
    ["two dots in the host", "a@host..example"],
    ["a comma", "a,b@host.example"],
    ["a semicolon", "a;b@host.example"],
    ["a colon, as in mailto:", "mailto:a@host.example"],
    ["quotes", '"a"@host.example'],
    ["brackets", "<a@host.example>"],
    ["a literal", "a@[127.0.0.1]"],
    ["a mark that turns the writing", "a\u202Eb@host.example"],
    ["an invisible letter", "a@ho\u200Bst.example"],
    ["letters of another script before the @", "größe@host.example"],
    ["a backslash", "a\\@host.example"],
    ["321 letters", `${"a".repeat(65)}@${"b".repeat(255)}`],
  ])("with %s is not one", (_, text) => {
    expect(isAddress(text)).toBe(false);
  });

  test("a long text with dots is checked quickly", () => {
    expect(isAddress(`a@${"a.".repeat(155)}!@`)).toBe(false);
  });
});

test("any input: each address is mailed once, and no token is lost", () => {
  const token = fc.oneof(
    fc.constantFrom("@ops", "@more", "@empty", "@no", "a@h", "A@h", "<a@h>", "x", "\r\nBcc:"),
    fc.string({ unit: "binary" }),
    fc.emailAddress(),
  );
  fc.assert(
    fc.property(fc.array(token), (tokens) => {
      const split = recipientTokens(tokens).tokens;
      const { addresses, unresolved, invalid } = resolveRecipients(split, TEAMS);
      expect(new Set(addresses.map((address) => address.toLowerCase())).size).toBe(
        addresses.length,
      );
      for (const address of addresses) expect(isAddress(address)).toBe(true);
      const mailed = new Set(addresses.map((address) => address.toLowerCase()));
      for (const each of split) {
        const bare = each.replace(/^<(.*)>$/, "$1").toLowerCase();
        const known = mailed.has(bare) || unresolved.includes(each) || invalid.includes(each);
        expect(known || (TEAMS.get(each)?.members.length ?? 0) > 0).toBe(true);
      }
    }),
  );
});
