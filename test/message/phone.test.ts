import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { array, number, object, parse, string } from "valibot";
import { expect, onTestFinished, test } from "vitest";
import type { Bundle, ListedItem } from "../../src/core/bundle.ts";
import { linkAddresses } from "../../src/message/links.ts";
import { type Message, renderMessage, storedMessage } from "../../src/message/render.ts";
import { escapeHtml } from "../../src/text/escape.ts";

const HAS_CHROMIUM = spawnSync("chromium", ["--version"]).status === 0;
if (!HAS_CHROMIUM) console.log("skipped: chromium is not installed (Debian: apt install chromium)");

const TIME = Date.UTC(2026, 10, 21, 4, 5) / 1000;
const WORD = "x".repeat(300);
const ADDRESS = `https://h.example/${"long-path/".repeat(100)}?a=1&b=${WORD}`;
const TABLE = `site      ${"jobs   failed   ".repeat(6)}\nBNL_OSG_1 ${"100        40   ".repeat(6)}`;
/** What is hard to show on a narrow screen. */
const HARD = [
  WORD,
  "字".repeat(300),
  "\u00a0".repeat(300),
  "é\u0301".repeat(300),
  "😀".repeat(300),
  "-_/".repeat(100),
  TABLE,
  `\t${"\t".repeat(40)}x`,
  ADDRESS,
  `See (${ADDRESS}), and http://[2001:db8::7]:8080/x.`,
].join("\n");

function items(count: number, more: Partial<ListedItem> = {}): readonly ListedItem[] {
  const subjects = HARD.split("\n");
  return Array.from({ length: count }, (_, index) => ({
    eventId: `e${index}`,
    dedupeKey: `k${index}`,
    subject: subjects[index % subjects.length] ?? "",
    body: HARD,
    reason: index % 3 === 0 ? "unsent" : "severity rose",
    fireTime: TIME - 100_000,
    firstSeen: TIME - 200_000,
    severity: "critical",
    stage: WORD,
    changes: [`${WORD} when it fired, ${WORD} now`],
    clearReason: WORD,
    reminder: { number: 5, isFinal: true },
    mayBeDuplicate: index % 2 === 0,
    ...more,
  }));
}

const BUNDLE: Bundle = {
  entryId: `alarm_${"a".repeat(200)}`,
  title: WORD,
  description: HARD,
  time: TIME,
  freshCount: 40,
  continuingCount: 40,
  clearedCount: 40,
  fresh: items(12),
  continuing: items(12),
  cleared: [
    ...items(6, { clearTime: TIME, reason: "cleared" }),
    ...items(6, { clearTime: TIME, reason: "cleared before it could be mailed" }),
  ],
  caveats: [HARD, WORD],
  to: [WORD, `@${WORD}`],
  mayBeDuplicate: true,
};

const bundle = renderMessage(BUNDLE);
const MAILS: readonly [name: string, mail: Message][] = [
  ["a mail of an alarm", bundle],
  ["a mail to the remaining recipients", storedMessage(bundle.subject, bundle.text, true)],
];

/** What Gmail shows of a page: no head, and a body that is a part of its own page. */
function withoutHead({ html }: Message): string {
  return html
    .replace(/<head>.*<\/head>/s, "")
    .replace("<body", "<div")
    .replace("</body>", "</div>");
}

const PAGES: readonly [name: string, html: string][] = [
  ...MAILS.map(([name, { html }]): [string, string] => [name, linkAddresses(html)]),
  ["a mail that has lost its head", linkAddresses(withoutHead(bundle))],
  ["a page that does not wrap, for comparison", `<p>${WORD}</p>`],
];

const Measured = array(
  object({
    width: number(),
    wide: array(string()),
    canvas: string(),
    colours: array(string()),
    backgrounds: array(string()),
    opacities: array(string()),
    sizes: array(number()),
    links: array(string()),
  }),
);

/** The pages as a phone with a screen of 360 pixels lays them out. */
async function measure(scheme: "light" | "dark") {
  const folder = mkdtempSync(join(tmpdir(), "swf-alarms-phone-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  const frames = PAGES.map(
    ([, html]) => `<iframe style="width:360px;border:0" srcdoc="${escapeHtml(html)}"></iframe>`,
  );
  const script = readFileSync(new URL("../support/measure_mails.js", import.meta.url), "utf8");
  writeFileSync(
    join(folder, "mails.html"),
    `<!DOCTYPE html><meta charset="utf-8"><meta name="color-scheme" content="light dark"><script>${script}</script>${frames.join("")}`,
  );
  const { stdout } = await promisify(execFile)(
    "chromium",
    [
      ...[
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--hide-scrollbars",
      ],
      ...["--host-resolver-rules=MAP * ~NOTFOUND", `--user-data-dir=${folder}/profile`],
      `--blink-settings=preferredColorScheme=${scheme === "dark" ? 0 : 1}`,
      ...["--dump-dom", `file://${folder}/mails.html`],
    ],
    { maxBuffer: 64 * 1024 * 1024 },
  );
  const [, json = ""] = /<body>(.*)<\/body>/s.exec(stdout) ?? [];
  const entities = { "&lt;": "<", "&gt;": ">", "&amp;": "&", "&nbsp;": "\u00a0" };
  const text = json.replaceAll(/&\w+;/g, (entity) => Reflect.get(entities, entity) ?? entity);
  return parse(Measured, JSON.parse(text));
}

/** As WCAG 2 defines it, of two colours like `rgb(255, 255, 255)`. */
function contrast(a: string, b: string): number {
  const [lighter = 0, darker = 0] = [luminance(a), luminance(b)].toSorted((x, y) => y - x);
  return (lighter + 0.05) / (darker + 0.05);
}

function luminance(colour: string): number {
  const [, ...channels] = /^rgb\((\d+), (\d+), (\d+)\)$/.exec(colour) ?? [];
  if (channels.length === 0) throw new Error(`not an opaque colour: ${colour}`);
  const [red = 0, green = 0, blue = 0] = channels.map((channel) => {
    const share = Number(channel) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

test("the contrast is computed as WCAG says", () => {
  expect(contrast("rgb(0, 0, 0)", "rgb(255, 255, 255)")).toBeCloseTo(21);
  expect(contrast("rgb(255, 255, 255)", "rgb(119, 119, 119)")).toBeCloseTo(4.48);
});

test.skipIf(!HAS_CHROMIUM).each(["light", "dark"] as const)(
  "on a screen of 360 pixels nothing is wider than the screen, and every text can be read: %s",
  async (scheme) => {
    const measured = await measure(scheme);
    const comparison = measured.pop();
    expect(comparison?.wide).not.toEqual([]);
    expect(measured).toHaveLength(MAILS.length + 1);
    for (const [index, page] of measured.entries()) {
      const hasHead = index < MAILS.length;
      expect(page).toMatchObject({
        width: 360,
        wide: [],
        backgrounds: ["rgba(0, 0, 0, 0)"],
        opacities: ["1"],
      });
      expect(luminance(page.canvas) < 0.1).toBe(hasHead && scheme === "dark");
      for (const colour of page.colours)
        expect(contrast(colour, page.canvas)).toBeGreaterThanOrEqual(4.5);
      expect(Math.min(...page.sizes)).toBeGreaterThanOrEqual(13);
      expect(page.links).toContain(ADDRESS);
      expect(page.links).toContain("http://[2001:db8::7]:8080/x");
    }
  },
);
