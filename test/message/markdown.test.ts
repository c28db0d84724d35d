import fc from "fast-check";
import { expect, test } from "vitest";
import { chatMessage, storedChatMessage } from "../../src/message/markdown.ts";
import { chatBlock, chatLine, chatText } from "../../src/text/chat.ts";
import { anyText } from "../fuzz/arbitraries.ts";
import {
  anyFacts,
  makeBundle,
  makeItem,
  makeOutgoing,
  TICK,
  WITH_FACTS,
} from "../support/bundles.ts";

const LIMIT = 16_383;

test("a bundle: heading, sections, bodies in blocks of code, notes, the tick", () => {
  const bundle = makeBundle({
    description: "What to do.\n- not a list",
    fresh: [makeItem("task:1", { body: "line one\n  <line two>" }), makeItem("b")],
    continuing: [makeItem("c", { reason: "unsent", fireTime: TICK - 3600 })],
    cleared: [
      makeItem("d", {
        fireTime: TICK - 600,
        clearTime: TICK,
        reason: "cleared before it could be mailed",
      }),
    ],
    clearedCount: 3,
    caveats: ["page_2 failed"],
    mayBeDuplicate: true,
    isTest: true,
  });
  expect(chatMessage(bundle, LIMIT).replaceAll("\u200b", "·")).toBe(`\
#### \\[alarm\\_x\\] 3 detection(s), 2 new, 1 continuing, 3 already cleared

**This is a test of the channel.**

**This message may be a duplicate: an earlier message may have been sent.**

·What to do.
·- not a list

**NEW (2)**

**task:1 fails**
\`\`\`
line one
  ‹line two>
\`\`\`

**b fails**

**CONTINUING (1)**

**c fails** (firing since 2026-11-26 00:00 UTC)

**ALREADY CLEARED (3)**

**d fails** (fired 2026-11-26 00:50 UTC, cleared 2026-11-26 01:00 UTC after 10 min)

… and 2 more

Note: page\\_2 failed

Alarm X (x), tick of 2026-11-26 01:00 UTC.`);
});

test("severity, stage, what changed, reminders and why an event cleared", () => {
  expect(chatMessage(WITH_FACTS, LIMIT)).toBe(`\
#### \\[alarm\\_x\\] 3 detection(s), 1 new, 2 continuing, 1 cleared, severity rose

**NEW (1)**

**CRITICAL: a fails** (stage early; first seen 2026-11-26 00:45 UTC)

**CONTINUING (2)**

**ERROR: b fails** (severity rose; severity warning when it fired, error now; 15.6% when it fired, 20.3% now; firing since 2026-11-25 23:00 UTC)

**c fails** (FINAL reminder: no more will follow unless something changes; firing since 2026-11-25 00:00 UTC)

**CLEARED (1)**

**d fails** (severity error; stage late; fired 2026-11-25 22:50 UTC, cleared 2026-11-26 01:00 UTC after 2 h 10 min: late by &lt;120 s&gt;)

Alarm X (x), tick of 2026-11-26 01:00 UTC.`);
});

test.each([
  ["mentions", "@all a@here", "@·all a@·here"],
  ["bold, italics, code", "**a** _b_ `c` ~~d~~", "\\*\\*a\\*\\* \\_b\\_ \\`c\\` \\~\\~d\\~\\~"],
  ["links", "[a](http://b) <http://c|d>", "\\[a\\](http://b) &lt;http://c&#124;d&gt;"],
  ["an address, which stays a link", "see_ http://a/b_c#d~e.", "see\\_ http://a/b_c#d~e."],
  ["words that a chat translates", "<!channel> &lt;", "&lt;!channel&gt; &amp;lt;"],
  ["emoji and times", "task:100: 10:30", "task:·100: 10:30"],
  ["another line", "a\n# b", "a \\# b"],
])("a line of data has no effect: %s", (_sentence, text, expected) => {
  expect(chatLine(text).replaceAll("\u200b", "·")).toBe(expected);
});

test("data cannot close its block of code", () => {
  const text = "a\n```\n````\n~~~\n@all <!here>";
  expect(chatBlock(text).replaceAll("\u200b", "·")).toBe(
    "```\na\n``·`\n``·``\n~~~\n@·all ‹!here>\n```",
  );
});

const marks = fc.constantFrom("@all", "```", "\n", "<!here>", "<a|b>", "[x](y)", ":a:", "| ", "# ");
const text = fc.oneof(
  anyText,
  fc.array(marks, { maxLength: 12 }).map((parts) => parts.join("")),
  fc.constantFrom("@".repeat(9_000), "`".repeat(9_000), "&".repeat(9_000), "|".repeat(9_000)),
);

/** Fails where data in a message has an effect. */
function checkSafe(message: string): void {
  expect(message).not.toMatch(/@(?!\u200b)|</);
  const fences = message.match(/`{3,}/g) ?? [];
  expect(fences.every((fence) => fence === "```")).toBe(true);
  expect(fences.length % 2).toBe(0);
  // Outside of the blocks of code no mark counts but those of the message itself.
  const outside = message.split("```").filter((_, index) => index % 2 === 0);
  const own = outside
    .join("")
    .replaceAll(/https?:\/\/[a-z\d][^\s\\`*[\]]*|\\./gi, "")
    .replaceAll(/^####|^\*\*|\*\*(?= \(.*\)$|$)/gm, "");
  expect(own.replaceAll("&#124;", "")).not.toMatch(/[`*_~#[\]|>]|:[\w+-]+:/);
}

const escaped = text.map((data) => [chatLine(data), chatText(data), chatBlock(data)]);
test("no text has an effect", () => {
  fc.assert(fc.property(escaped, (texts) => texts.forEach(checkSafe)));
});

const list = fc.array(
  fc
    .tuple(fc.record({ subject: text, body: text }), anyFacts(text))
    .map(([texts, facts]) => makeItem("a", { ...texts, ...facts })),
  { maxLength: 100 },
);
const bundles = fc
  .record({
    entryId: text,
    title: text,
    description: text,
    caveats: fc.array(text),
    fresh: list,
    continuing: list,
    cleared: list,
  })
  .map(makeBundle);

test("no bundle is too long, has an effect, or hides an event without counting it", () => {
  fc.assert(
    fc.property(bundles, (bundle) => {
      const message = chatMessage(bundle, LIMIT);
      expect(message.length).toBeLessThanOrEqual(LIMIT);
      checkSafe(message);
    }),
  );
});

test("what does not fit is counted, and its block of code is whole", () => {
  const fresh = Array.from({ length: 100 }, (_, index) =>
    makeItem(`new${index}.`, { body: "x\n".repeat(200) }),
  );
  const message = chatMessage(makeBundle({ fresh, continuing: [makeItem("c")] }), LIMIT);
  const shown = message.match(/^\*\*new\d+\. fails\*\*$/gm) ?? [];
  expect(shown.length).toBeGreaterThan(20);
  expect(message).toContain(`\n\n… and ${100 - shown.length} more\n\n**CONTINUING (1)**`);
  expect(message).toContain("\n\n… and 1 more\n\n");
  expect(message.length).toBeGreaterThan(LIMIT - 1_000);
  checkSafe(message);
});

test("where only the text of a mail is on record, it is in a block of code", () => {
  const stored = makeOutgoing({ text: "NEW (1):\n  [1] @all fails" });
  expect(storedChatMessage(stored, LIMIT).replaceAll("\u200b", "·")).toBe(
    "#### \\[alarm\\_x\\] 1 detection(s), 1 new, 0 continuing\n\n```\nNEW (1):\n  [1] @·all fails\n```",
  );
  fc.assert(
    fc.property(text, text, (subject, mail) => {
      const message = storedChatMessage({ subject, text: mail, html: "" }, LIMIT);
      expect(message.length).toBeLessThanOrEqual(LIMIT);
      checkSafe(message);
    }),
  );
});
