import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Bundle,
  type BundleFacts,
  composeBundle,
  type ListedItem,
} from "../../src/core/bundle.ts";
import type { SafeDetection } from "../../src/core/model.ts";
import { type BundleItem, NO_NOTICE } from "../../src/core/notice.ts";
import { renderMessage, storedMessage } from "../../src/message/render.ts";

const FIRED = Date.UTC(2026, 10, 21, 1, 31, 20) / 1000;

function item(key: string, changes: Partial<ListedItem> = {}): ListedItem {
  return {
    dedupeKey: key,
    subject: `${key} fails`,
    body: "",
    reason: "new",
    fireTime: FIRED,
    mayBeDuplicate: false,
    ...changes,
  };
}

function bundle(changes: Partial<Bundle> = {}): Bundle {
  const { fresh = [], continuing = [], cleared = [] } = changes;
  return {
    entryId: "alarm_x",
    title: "Alarm X",
    description: "",
    time: Date.UTC(2026, 10, 21, 4, 5, 59) / 1000,
    freshCount: fresh.length,
    continuingCount: continuing.length,
    clearedCount: cleared.length,
    fresh,
    continuing,
    cleared,
    caveats: [],
    ...changes,
  };
}

/** The visible text of an HTML mail: marks taken out, entities read. */
function visible(html: string): string {
  return html
    .replace(/<head>.*<\/head>/s, "")
    .replace(/<p style="display:none[^<]*<\/p>/, "")
    .replaceAll(/<[^>]*>/g, " ")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&#39;", "'")
    .replaceAll("&amp;", "&");
}

describe("the subject", () => {
  test.each([
    ["counts new and continuing ones", 2, 3, "[alarm_x] 5 detection(s), 2 new, 3 continuing"],
    ["is written the same for one", 1, 0, "[alarm_x] 1 detection(s), 1 new, 0 continuing"],
    [
      "counts those that are not listed",
      10_000,
      0,
      "[alarm_x] 10000 detection(s), 10000 new, 0 continuing",
    ],
  ])("%s", (_, freshCount, continuingCount, subject) => {
    expect(renderMessage(bundle({ freshCount, continuingCount })).subject).toBe(subject);
  });

  test("an entry id with a line break starts no header", () => {
    const { subject } = renderMessage(bundle({ entryId: "alarm_x]\r\nBcc: eve@h.example\r\n" }));
    expect(subject).toBe("[alarm_x] Bcc: eve@h.example] 0 detection(s), 0 new, 0 continuing");
  });
});

describe("the text", () => {
  test("lists what is new, what continues, what is mailed for the first time, and the tick", () => {
    const { text } = renderMessage(
      bundle({
        description: "What to do about X.",
        fresh: [item("a", { body: "line one\n\n  line two" }), item("b")],
        continuing: [
          item("c", { reason: "unsent", body: "late" }),
          item("d", { reason: "renotification due" }),
        ],
        caveats: ["page 2 gave status 503"],
      }),
    );
    expect(text).toBe(
      [
        "What to do about X.",
        "",
        "---",
        "",
        "NEW (2):",
        "",
        "  [1] a fails",
        "      line one",
        "",
        "        line two",
        "",
        "  [2] b fails",
        "",
        "CONTINUING (2):",
        "",
        "  [3] c fails (firing since 01:31 UTC, first mail)",
        "      late",
        "",
        "  [4] d fails",
        "",
        "Note: page 2 gave status 503",
        "",
        "--",
        "Alarm X (x), tick of 2026-11-21 04:05 UTC. One mail per alarm and tick lists all its detections.",
        "",
      ].join("\n"),
    );
  });

  test("leaves out empty sections", () => {
    const { text } = renderMessage(bundle({ fresh: [item("a", { body: " \n\n" })] }));
    expect(text).toMatch(/^NEW \(1\):\n\n {2}\[1\] a fails\n\n--\nAlarm X/);
    expect(text).not.toContain("CONTINUING");
    expect(text).not.toContain("Note:");
  });

  const OVER = {
    ...item("o", { reason: "cleared before it could be mailed", body: "it was bad" }),
    fireTime: Date.UTC(2026, 10, 21, 3, 55) / 1000,
    clearTime: Date.UTC(2026, 10, 21, 4, 0) / 1000,
  };

  test("what cleared before it could be mailed has its own section, with its times", () => {
    const { subject, text, html } = renderMessage(
      bundle({ fresh: [item("a")], cleared: [OVER, { ...OVER, body: "", fireTime: 0 }] }),
    );
    expect(subject).toBe("[alarm_x] 1 detection(s), 1 new, 0 continuing, 2 already cleared");
    expect(text).toContain(
      [
        "ALREADY CLEARED (2):",
        "",
        "  [2] o fails",
        "      fired 2026-11-21 03:55 UTC, cleared 2026-11-21 04:00 UTC",
        "      it was bad",
        "",
        "  [3] o fails",
        "      fired an unknown time, cleared 2026-11-21 04:00 UTC",
        "",
      ].join("\n"),
    );
    expect(visible(html)).toContain("fired 2026-11-21 03:55 UTC, cleared 2026-11-21 04:00 UTC");
  });

  test("what may have been mailed is not called a first mail", () => {
    const label = " (may be a duplicate: an earlier mail may have been sent)";
    const { text, html } = renderMessage(
      bundle({
        continuing: [item("a", { reason: "unsent", mayBeDuplicate: true })],
        cleared: [{ ...OVER, mayBeDuplicate: true }],
      }),
    );
    for (const shown of [text, visible(html)]) {
      expect(shown).not.toContain("first mail");
      expect(shown.split(label.trim())).toHaveLength(3);
    }
    expect(text).toContain(`[1] a fails${label}\n`);
    expect(text).toContain(`[2] o fails${label}\n`);
  });

  test("a clock far out of range does not hold up the mail", () => {
    const { text } = renderMessage(bundle({ time: 1e300, fresh: [item("a")] }));
    expect(text).toContain("tick of an unknown time.");
  });

  test("a mail from its record is the same text, in HTML too", () => {
    const evil = "a <b>\n\u001b[2J & more";
    const { subject, text, html } = storedMessage("[x]\r\nBcc: b", evil, false);
    expect({ subject, text }).toEqual({ subject: "[x] Bcc: b", text: evil });
    expect(html).not.toContain("<b>");
    expect(visible(html)).toContain("a <b>\n\uFFFD[2J & more");
    const mark = "This mail may be a duplicate: an earlier mail may have been sent.\n\n";
    const repeat = storedMessage("[x]", evil, true);
    expect(repeat.text).toBe(mark + evil);
    expect(visible(repeat.html)).toContain(mark.trim());
  });

  test("a mail of continuing ones alone has no heading for new ones", () => {
    const { text } = renderMessage(bundle({ continuing: [item("a", { reason: "unsent" })] }));
    expect(text).toMatch(
      /^CONTINUING \(1\):\n\n {2}\[1\] a fails \(firing since 01:31 UTC, first mail\)/,
    );
  });

  test.each([
    ["on the same day", FIRED, "firing since 01:31 UTC, first mail"],
    ["on the day before", FIRED - 7200, "firing since 2026-11-20 23:31 UTC, first mail"],
    ["at an unknown time", 0, "firing since an unknown time, first mail"],
  ])("an event that fired %s and was never mailed shows since when", (_, fireTime, label) => {
    const given = item("a", { reason: "unsent", fireTime });
    expect(renderMessage(bundle({ continuing: [given] })).text).toContain(`a fails (${label})\n`);
  });

  test("an event's subject keeps to its line, so that it cannot pass for another", () => {
    const { text } = renderMessage(
      bundle({ fresh: [item("a", { subject: "a\r\n  [2] b fails", body: "x\r\n  [3] c fails" })] }),
    );
    expect(text).toContain("  [1] a   [2] b fails\n      x\n        [3] c fails\n");
  });

  test("an entry id with control characters does not bring them into the mail", () => {
    const { text } = renderMessage(bundle({ entryId: "alarm_\u001b[2Jx\r\ny" }));
    expect(text).not.toMatch(/[^\P{Cc}\n]/u);
  });
});

describe("the HTML", () => {
  test("says the same as the text", () => {
    const { html } = renderMessage(
      bundle({
        description: "What to do about X.",
        fresh: [item("a", { body: "line one\n  line two" })],
        continuing: [item("c", { reason: "unsent" }), item("d", { reason: "renotification due" })],
        caveats: ["page 2 gave status 503"],
      }),
    );
    expect(html).toMatch(/^<!DOCTYPE html>\n<html lang="en">/);
    expect(html).toContain('<meta charset="utf-8">');
    const words = visible(html).replaceAll(/[ \n]+/g, " ");
    expect(words).toContain(
      "What to do about X. NEW (1) a fails line one line two CONTINUING (2) c fails (firing since 01:31 UTC, first mail) d fails Note: page 2 gave status 503 Alarm X (x), tick of 2026-11-21 04:05 UTC.",
    );
    expect(html).toContain("line one\n  line two</pre>");
    expect(html).toContain("<title>[alarm_x] 3 detection(s), 1 new, 2 continuing</title>");
  });

  test("begins, for the list of mails, with the first event instead of the description", () => {
    const { html } = renderMessage(
      bundle({ description: "What to do.", fresh: [item("<a>"), item("b")] }),
    );
    const text = html.replace(/<head>.*<\/head>/s, "").replaceAll(/<[^>]*>/g, "");
    expect(text.trim()).toMatch(/^&lt;a&gt; fails\nWhat to do\./);
  });

  test("marks new ones with a colour of their own", () => {
    const colours = (changes: Partial<Bundle>) =>
      [...renderMessage(bundle(changes)).html.matchAll(/<div style="[^"]*solid (#\w+)"/g)].map(
        ([, colour]) => colour,
      );
    const unsent = item("b", { reason: "unsent" });
    const [fresh, continuing] = colours({ fresh: [item("a")], continuing: [unsent] });
    expect(fresh).not.toBe(continuing);
    expect(colours({ fresh: [item("a"), item("b")] })).toEqual([fresh, fresh]);
    expect(colours({ continuing: [unsent, unsent] })).toEqual([continuing, continuing]);
  });

  test("an empty body leaves no empty box", () => {
    const { html } = renderMessage(bundle({ fresh: [item("a", { body: "\n " })] }));
    expect(html).not.toContain("<pre");
  });

  test("mark-up in any part is shown, not made", () => {
    const evil = `<script>alert("1")</script><img src=x onerror='1'>&amp;`;
    const part = { subject: evil, body: evil };
    const { html } = renderMessage(
      bundle({
        entryId: evil,
        title: evil,
        description: evil,
        fresh: [item("a", part)],
        continuing: [item("b", part)],
        caveats: [evil],
      }),
    );
    expect(html).not.toMatch(/<script|<img/);
    expect(visible(html).split(evil)).toHaveLength(9);
  });
});

describe("a bundle of ten thousand", () => {
  const mentions = Array.from({ length: 10_000 }, (_, index): BundleItem => {
    const dedupeKey = `task:${index}`;
    return { eventId: dedupeKey, dedupeKey, fireTime: 0, since: 0, reason: "new" };
  });
  const get = (dedupeKey: string): SafeDetection => {
    const subject = `<${dedupeKey.slice(5)}>${"s".repeat(1_990)}`;
    return { dedupeKey, subject, body: "<b>\n".repeat(12_500), data: {} };
  };
  const { omitted } = NO_NOTICE;
  const rendered = (fresh: number, changes: Partial<BundleFacts> = {}) =>
    renderMessage(
      composeBundle({
        entryId: "alarm_x",
        title: "",
        description: "",
        time: 0,
        notice: {
          send: true,
          reason: "due",
          fresh: mentions.slice(0, fresh),
          continuing: mentions.slice(fresh),
          cleared: [],
          omitted,
        },
        detections: { get },
        stored: new Map(),
        maybeMailed: new Set(),
        caveats: [],
        ...changes,
      }),
    );

  test("lists the first hundred, counts the rest, and can be sent", () => {
    const { subject, text, html } = rendered(10_000);
    expect(subject).toBe("[alarm_x] 10000 detection(s), 10000 new, 0 continuing");
    expect(text).toContain("NEW (10000):");
    const rest =
      "… and 9900 more, not listed here. List what is firing: bin/swf-alarms event list --alarm x --limit 0";
    expect(text).toContain(`\n  ${rest}\n`);
    expect(visible(html)).toContain(rest);
    expect(text).toContain("  [100] <99>s");
    expect(text).not.toContain("[101]");
    expect(html.split("<strong>")).toHaveLength(101);
    // SES takes 10 MB, text and HTML together, and base64 makes four bytes of three.
    expect(Buffer.byteLength(text + html) * 1.4).toBeLessThan(10_000_000);
  });

  test("counts apart what is new and what goes on", () => {
    const { text } = rendered(60);
    expect(text).toContain("NEW (60):");
    expect(text).toContain("CONTINUING (9940):");
    expect(text).toContain("  [61] <60>s");
    expect(text).toContain("\n  … and 9900 more, not listed here. List what is firing: ");
    expect(text.match(/more, not listed here/g)).toHaveLength(1);
  });

  test("a section of which nothing is listed is counted all the same", () => {
    const { text, html } = rendered(9_000);
    expect(text).toContain("CONTINUING (1000):\n\n  … and 1000 more, not listed here. List ");
    expect(visible(html)).toContain("… and 1000 more, not listed here.");
  });

  test("each section says how to list the rest; the alarm is one word of the command", () => {
    const { text, html } = renderMessage(
      bundle({
        entryId: "alarm_x y's",
        fresh: [item("a")],
        freshCount: 3,
        continuingCount: 4,
        cleared: [{ ...item("o"), clearTime: FIRED }],
        clearedCount: 6,
      }),
    );
    const list = "bin/swf-alarms event list --alarm 'x y'\\''s' --limit 0";
    for (const shown of [text, visible(html)]) {
      for (const more of [2, 4])
        expect(shown).toContain(
          `… and ${more} more, not listed here. List what is firing: ${list}`,
        );
      expect(shown).toContain(
        `… and 5 more, not listed here. List cleared events too: ${list} --all`,
      );
    }
  });

  test.each([
    ["a note of eight million letters", { caveats: ["x".repeat(8_000_000)] }],
    ["a description of eight million letters", { description: "x".repeat(8_000_000) }],
    ["a title of eight million letters", { title: "x".repeat(8_000_000) }],
  ])("the size is bounded also with %s", (_, changes) => {
    const { text, html } = rendered(1, changes);
    expect(text.length + html.length).toBeLessThan(7_000_000);
  });
});

describe("whatever the parts hold", () => {
  const word = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom(
      "\u202E",
      "\u2067",
      "\r\nBcc: a@h",
      "<script>",
      "</pre>",
      "\u2028",
      "\u001b[2J",
      "&",
      '"',
    ),
  );
  const anyItem = fc.record({
    dedupeKey: word,
    subject: word,
    body: word,
    reason: fc.constantFrom("new" as const, "unsent" as const, "renotification due" as const),
    fireTime: fc.double(),
    mayBeDuplicate: fc.boolean(),
  });
  const anyCleared = fc
    .tuple(anyItem, fc.double())
    .map(([given, clearTime]) => ({ ...given, clearTime }));
  const anyBundle = fc
    .record({
      entryId: word,
      title: word,
      description: word,
      fresh: fc.array(anyItem, { maxLength: 3 }),
      continuing: fc.array(anyItem, { maxLength: 3 }),
      cleared: fc.array(anyCleared, { maxLength: 3 }),
      caveats: fc.array(word, { maxLength: 2 }),
    })
    .map(bundle);

  test("the subject is one line, the HTML has no marks but its own, and no text steers a terminal", () => {
    fc.assert(
      fc.property(anyBundle, (given) => {
        const { subject, text, html } = renderMessage(given);
        expect(subject).not.toMatch(/[\p{Cc}\u2028\u2029\u202A-\u202E\u2066-\u2069]/u);
        const marks = html.matchAll(/<\/?([^\s>]*)[^>]*>/g);
        const own = [
          "!DOCTYPE",
          "html",
          "head",
          "meta",
          "body",
          "p",
          "hr",
          "h2",
          "div",
          "strong",
          "pre",
          "title",
          "style",
        ];
        for (const [, name] of marks) expect(own).toContain(name);
        expect(html.split("<").length).toBe(html.split(">").length);
        expect(html.split('<div style="').length - 1).toBe(
          given.fresh.length + given.continuing.length + given.cleared.length,
        );
        expect(`${text}${html}`).not.toMatch(/[^\P{Cc}\n\t]/u);
      }),
    );
  });
});
