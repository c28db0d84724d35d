import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Bundle, ListedItem } from "../../src/core/bundle.ts";
import { renderMessage, storedMessage } from "../../src/message/render.ts";
import { anyFacts, WITH_FACTS } from "../support/bundles.ts";

const FIRED = Date.UTC(2026, 10, 21, 1, 31, 20) / 1000;

function item(key: string, changes: Partial<ListedItem> = {}): ListedItem {
  return {
    eventId: `id of ${key}`,
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
    to: ["ann@host.example", "@ops"],
    ...changes,
  };
}

const FOOTER = [
  "Alarm X (x), tick of 2026-11-21 04:05 UTC.",
  "Why you get this: the alarm notifies ann@host.example, @ops.",
  "To stop it for yourself, leave your address out: bin/swf-alarms alarm set x --recipients …",
  "To stop it for everybody: bin/swf-alarms alarm set x --mail off",
];

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

const FINAL = { reason: "renotification due", reminder: { number: 5, isFinal: true } } as const;

describe("the subject", () => {
  const COUNTS = "[alarm_x] 0 detection(s), 0 new, 0 continuing";
  const long = "x".repeat(120 - COUNTS.length - 2);
  test.each<readonly [string, Partial<Bundle>, string]>([
    [
      "ends with that of the first new detection",
      { fresh: [item("a"), item("b")], continuing: [item("c")] },
      "[alarm_x] 3 detection(s), 2 new, 1 continuing: a fails",
    ],
    [
      "else of the first that continues",
      { continuing: [item("c")], cleared: [item("o")], clearedCount: 0 },
      "[alarm_x] 1 detection(s), 0 new, 1 continuing: c fails",
    ],
    [
      "else of the first that has cleared",
      { cleared: [item("o", { reason: "cleared" })] },
      `${COUNTS}, 1 cleared: o fails`,
    ],
    [
      "up to 120 characters",
      { fresh: [item("a", { subject: long })], freshCount: 0 },
      `${COUNTS}: ${long}`,
    ],
    ["but no more", { fresh: [item("a", { subject: `${long}x` })], freshCount: 0 }, COUNTS],
    ["not with an empty one", { fresh: [item("a", { subject: " \n" })], freshCount: 0 }, COUNTS],
    [
      "begins that with its severity",
      { fresh: [item("a", { severity: "warning" })] },
      "[alarm_x] 1 detection(s), 1 new, 0 continuing: WARNING: a fails",
    ],
    [
      "or with the severity alone, where the rest does not fit",
      { fresh: [item("a", { severity: "critical", subject: long })] },
      "[alarm_x] 1 detection(s), 1 new, 0 continuing: CRITICAL",
    ],
    [
      "ends with the most severe that fires",
      {
        fresh: [item("a", { severity: "info" })],
        continuing: [item("c", { severity: "error" }), item("d", { severity: "error" })],
      },
      "[alarm_x] 3 detection(s), 1 new, 2 continuing: ERROR: c fails",
    ],
    [
      "does not shout what is over",
      { cleared: [item("o", { reason: "cleared", severity: "error", clearTime: FIRED })] },
      `${COUNTS}, 1 cleared: o fails`,
    ],
    [
      "says what makes an event news again",
      {
        continuing: [
          item("c", { reason: "stage advanced" }),
          item("d", { reason: "severity rose" }),
        ],
      },
      "[alarm_x] 2 detection(s), 0 new, 2 continuing, severity rose, stage advanced: c fails",
    ],
    [
      "says that it is about final reminders alone",
      { continuing: [item("c", FINAL), item("d", FINAL)] },
      "[alarm_x] 2 detection(s), 0 new, 2 continuing, FINAL reminder: c fails",
    ],
    [
      "but not where another reminder follows",
      {
        continuing: [
          item("c", FINAL),
          item("d", { ...FINAL, reminder: { number: 2, isFinal: false } }),
        ],
      },
      "[alarm_x] 2 detection(s), 0 new, 2 continuing: c fails",
    ],
    [
      "nor beside something new",
      { continuing: [item("c", FINAL)], fresh: [item("a")] },
      "[alarm_x] 2 detection(s), 1 new, 1 continuing: a fails",
    ],
    [
      "nor where not all are listed",
      { continuing: [item("c", FINAL)], continuingCount: 2 },
      "[alarm_x] 2 detection(s), 0 new, 2 continuing: c fails",
    ],
    ["of a test says so", { isTest: true }, "[alarm_x] test of this channel; nothing is wrong"],
  ])("%s", (_, changes, expected) => {
    const { subject, html } = renderMessage(bundle(changes));
    expect(subject).toBe(expected);
    expect(html).toContain(`<title>${expected}</title>`);
  });

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
        "  [3] c fails (firing since 01:31 UTC, first notification)",
        "      late",
        "",
        "  [4] d fails",
        "",
        "Note: page 2 gave status 503",
        "",
        "--",
        ...FOOTER,
        "",
      ].join("\n"),
    );
  });

  test.each([
    ["x", "named by its events"],
    ["engine", "recipients of an alarm that it is about"],
  ])("the footer of the alarm %s tells who is not in its list", (name, why) => {
    const { text } = renderMessage(bundle({ entryId: `alarm_${name}`, own: ["@ops"] }));
    expect(text).toContain(
      `the alarm notifies ann@host.example, @ops. Not in its own list, but ${why}: @ops.`,
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
    expect(subject).toBe(
      "[alarm_x] 1 detection(s), 1 new, 0 continuing, 2 already cleared: a fails",
    );
    expect(text).toContain(
      [
        "ALREADY CLEARED (2):",
        "",
        "  [2] o fails",
        "      fired 2026-11-21 03:55 UTC, cleared 2026-11-21 04:00 UTC after 5 min",
        "      it was bad",
        "",
        "  [3] o fails",
        "      fired an unknown time, cleared 2026-11-21 04:00 UTC",
        "",
      ].join("\n"),
    );
    expect(visible(html)).toContain("fired 2026-11-21 03:55 UTC, cleared 2026-11-21 04:00 UTC");
  });

  const ENDED = { ...OVER, subject: "e fails", reason: "cleared" } as const;

  test.each<readonly [string, Partial<Bundle>, string, readonly string[]]>([
    [
      "what was notified before and has cleared",
      { continuing: [item("c")], cleared: [ENDED], clearedCount: 7 },
      "1 continuing, 7 cleared",
      ["CONTINUING (1)", "CLEARED (7)", "… and 6 more"],
    ],
    [
      "both kinds",
      { cleared: [OVER, ENDED, OVER, ENDED], clearedCount: 7 },
      "0 continuing, 5 already cleared, 2 cleared",
      ["CLEARED (2)", "ALREADY CLEARED (5)", "… and 3 more"],
    ],
    [
      "none that is listed",
      { fresh: [item("a")], clearedCount: 7 },
      "0 continuing, 7 already cleared",
      ["NEW (1)", "ALREADY CLEARED (7)", "… and 7 more"],
    ],
  ])("cleared events have sections by what was known of them: %s", (_, changes, counts, found) => {
    const { subject, text, html } = renderMessage(bundle(changes));
    expect(subject).toContain(counts);
    for (const shown of [text, visible(html)])
      expect(
        shown.match(/^ *[A-Z ]+ \(\d+\)|… and \d+ more/gm)?.map((each) => each.trim()),
      ).toEqual(found);
  });

  test("a test of a channel begins and ends with that, and names no alarm's commands", () => {
    const { text, html } = renderMessage(bundle({ isTest: true }));
    for (const shown of [text, visible(html).trim()]) {
      expect(shown).toMatch(/^This is a test of a notification channel .* Nothing is wrong, /);
      expect(shown).toContain(
        "Sent to ann@host.example, @ops by bin/swf-alarms channel test, 2026-11-21 04:05 UTC.",
      );
      expect(shown).not.toContain("alarm set");
    }
  });

  test("a repeat begins with that, before the description", () => {
    const mark = "This notification may be a duplicate: an earlier mail may have been sent.";
    const { text, html } = renderMessage(
      bundle({ mayBeDuplicate: true, description: "What to do.", fresh: [item("a")] }),
    );
    expect(text.startsWith(`${mark}\n\nWhat to do.\n\n---\n`)).toBe(true);
    expect(visible(html).trim().startsWith(mark)).toBe(true);
  });

  test("the footer names at most five of those that it goes to, each on its line", () => {
    const to = ["@a\r\nb", "b@h", "c@h", "d@h", "e@h", "f@h", "g@h"];
    const { text } = renderMessage(bundle({ to, entryId: "alarm_x y" }));
    expect(text).toContain("the alarm notifies @a b, b@h, c@h, d@h, e@h and 2 more.\n");
    expect(text).toContain(": bin/swf-alarms alarm set 'x y' --mail off\n");
  });

  test("what may have been mailed is not called a first notification", () => {
    const label = " (may be a duplicate: an earlier mail may have been sent)";
    const { text, html } = renderMessage(
      bundle({
        continuing: [item("a", { reason: "unsent", mayBeDuplicate: true })],
        cleared: [{ ...OVER, mayBeDuplicate: true }],
      }),
    );
    for (const shown of [text, visible(html)]) {
      expect(shown).not.toContain("first notification");
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
    const mark = "This notification may be a duplicate: an earlier mail may have been sent.\n\n";
    const repeat = storedMessage("[x]", evil, true);
    expect(repeat.text).toBe(mark + evil);
    expect(visible(repeat.html)).toContain(mark.trim());
  });

  test("a mail of continuing ones alone has no heading for new ones", () => {
    const { text } = renderMessage(bundle({ continuing: [item("a", { reason: "unsent" })] }));
    expect(text).toMatch(
      /^CONTINUING \(1\):\n\n {2}\[1\] a fails \(firing since 01:31 UTC, first notification\)/,
    );
  });

  test.each([
    ["on the same day", FIRED, "firing since 01:31 UTC, first notification"],
    ["on the day before", FIRED - 7200, "firing since 2026-11-20 23:31 UTC, first notification"],
    ["at an unknown time", 0, "firing since an unknown time, first notification"],
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

describe("the facts that only some events have", () => {
  test("in a mail with one of each", () => {
    const { text, html } = renderMessage(WITH_FACTS);
    expect(text.replace(/--\n.*$/s, "")).toBe(`\
NEW (1):

  [1] CRITICAL: a fails (stage early; first seen 00:45 UTC)

CONTINUING (2):

  [2] ERROR: b fails (severity rose; severity warning when it fired, error now; 15.6% when it fired, 20.3% now; firing since 2026-11-25 23:00 UTC)

  [3] c fails (FINAL reminder: no more will follow unless something changes; firing since 2026-11-25 00:00 UTC)

CLEARED (1):

  [4] d fails (severity error; stage late)
      fired 2026-11-25 22:50 UTC, cleared 2026-11-26 01:00 UTC after 2 h 10 min: late by <120 s>

`);
    const words = (shown: string) => shown.replaceAll(/[ \n]+/g, " ");
    const all = words(text.replaceAll(/\[\d\] |^--$|:$/gm, ""));
    expect(words(visible(html)).trim()).toBe(all.trim());
  });

  test.each<readonly [string, Partial<ListedItem>, string]>([
    [
      "a reminder by default says no more than the title",
      { reason: "renotification due" },
      "a fails",
    ],
    [
      "one that is counted says since when it fires",
      { reason: "renotification due", reminder: { number: 3, isFinal: false } },
      "a fails (reminder 3; firing since 01:31 UTC)",
    ],
    [
      "so does one with a severity",
      { reason: "renotification due", severity: "info" },
      "INFO: a fails (firing since 01:31 UTC)",
    ],
    [
      "and one of an event that is different now",
      { reason: "renotification due", changes: ["1 when it fired, 2 now"] },
      "a fails (1 when it fired, 2 now; firing since 01:31 UTC)",
    ],
    [
      "a stage is said once",
      {
        reason: "stage advanced",
        stage: "update",
        changes: ["stage initial when it fired, update now"],
      },
      "a fails (stage advanced; stage initial when it fired, update now; firing since 01:31 UTC)",
    ],
    [
      "it is said where it was not known when the event fired",
      { reason: "stage advanced", stage: "update" },
      "a fails (stage advanced; stage update; firing since 01:31 UTC)",
    ],
    [
      "a late first notification keeps its words",
      { reason: "unsent", stage: "late", firstSeen: FIRED - 600 },
      "a fails (stage late; first seen 01:21 UTC; firing since 01:31 UTC, first notification)",
    ],
    [
      "a possible repeat too",
      { reason: "unsent", stage: "late", mayBeDuplicate: true },
      "a fails (stage late; may be a duplicate: an earlier mail may have been sent)",
    ],
    ["what was first seen when it fired did not settle", { firstSeen: FIRED }, "a fails"],
    ["a text keeps to its line", { stage: "x\r\n  [2] b" }, "a fails (stage x   [2] b)"],
    ["a long text is cut", { stage: "x".repeat(1_000) }, `a fails (stage ${"x".repeat(293)}…)`],
    [
      "why it cleared keeps to its line too",
      { reason: "cleared", clearTime: FIRED + 60, clearReason: "a\n  [2] b" },
      "a fails\n      fired 2026-11-21 01:31 UTC, cleared 2026-11-21 01:32 UTC after 60 s: a   [2] b",
    ],
  ])("%s", (_, facts, expected) => {
    const given = item("a", facts);
    const list = given.reason === "new" ? "fresh" : given.clearTime ? "cleared" : "continuing";
    const { text } = renderMessage(bundle({ [list]: [given] }));
    expect(text).toContain(`\n\n  [1] ${expected}\n\n--`);
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
      "What to do about X. NEW (1) a fails line one line two CONTINUING (2) c fails (firing since 01:31 UTC, first notification) d fails Note: page 2 gave status 503 Alarm X (x), tick of 2026-11-21 04:05 UTC. Why you get this: the alarm notifies ann@host.example, @ops. To stop it",
    );
    expect(html).toContain("line one\n  line two</pre>");
    expect(html).toContain("<title>[alarm_x] 3 detection(s), 1 new, 2 continuing: a fails</title>");
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
    const part = { subject: evil, body: evil, stage: evil, changes: [evil] };
    const { html } = renderMessage(
      bundle({
        entryId: evil,
        title: evil,
        description: evil,
        fresh: [item("a", part)],
        continuing: [item("b", part)],
        cleared: [item("c", { clearTime: FIRED, clearReason: evil })],
        caveats: [evil],
      }),
    );
    expect(html).not.toMatch(/<script|<img/);
    expect(visible(html).split(evil)).toHaveLength(14);
  });
});

describe("a bundle of ten thousand", () => {
  /** A bundle lists a hundred of them, with bodies cut to this length. */
  const rendered = (fresh: number, changes: Partial<Bundle> = {}) => {
    const all = Array.from({ length: 100 }, (_, index) =>
      item("", { subject: `<${index}>${"s".repeat(1_990)}`, body: "<b>\n".repeat(500) }),
    );
    const counts = { freshCount: fresh, continuingCount: 10_000 - fresh };
    const lists = { fresh: all.slice(0, fresh), continuing: all.slice(fresh) };
    return renderMessage(bundle({ ...counts, ...lists, ...changes }));
  };

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
  const anyItem = fc
    .record({
      dedupeKey: word,
      subject: word,
      body: word,
      eventId: word,
      fireTime: fc.double(),
      mayBeDuplicate: fc.boolean(),
      facts: anyFacts(word),
    })
    .map(({ facts, ...given }) => item(given.dedupeKey, { ...given, ...facts }));
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
      to: fc.array(word, { maxLength: 7 }),
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
