import fc from "fast-check";
import { expect, test } from "vitest";
import { linkAddresses } from "../../src/message/links.ts";
import { escapeHtml } from "../../src/text/escape.ts";

/** The links in a text, as a mail program reads them, after a check that nothing else has changed. */
function linksIn(text: string): readonly string[] {
  const html = escapeHtml(text);
  const linked = linkAddresses(html);
  expect(linked.replaceAll(/<a href="[^"<>]*">|<\/a>/g, "")).toBe(html);
  return [...linked.matchAll(/<a href="([^"]*)">([^<]*)<\/a>/g)].map(([, href = "", shown]) => {
    expect(shown).toBe(href);
    return href.replaceAll("&#39;", "'").replaceAll("&amp;", "&");
  });
}

const ADDRESSES = [
  "https://h.example",
  "http://h.example:8080/a/b.html",
  "HTTPS://H.EXAMPLE/A",
  "https://localhost/x",
  "http://10.0.0.7:5000/",
  "http://my_host.example/",
  "https://[::1]:8080/x",
  "https://[2001:db8::7]/",
  "https://h.example/?a=1&b=2&c",
  "https://h.example?x=1#part-2",
  "https://h.example/?q=amp;lt",
  "https://h.example/~user/a_b/-/x+y,z;v=1:2@3!$*%20%E2%82%AC",
  "https://h.example/tasks/?status=running|failed&days=3",
  "https://en.wikipedia.org/wiki/Failure_(disambiguation)",
  "https://h.example/a_(b_(c))_d?x[0]=1&y={z}",
  "https://h.example/Schrödinger's_cat",
  "https://web.archive.example/web/https://h.example/a",
  "https://h.example/?to=https://other.example/&x=1",
  "https://münchen.example/straße",
  "https://例え.jp/日本語",
  // With a Cyrillic letter: the link goes where the text says, not where it seems to.
  "https://ex\u0430mple.com/",
  "https://مثال.example/مسار",
  `https://h.example/${"a1-".repeat(662)}x`,
];
const BEFORE = ["", "see ", ..."([{<\"'`«“「=>|*_\n", "git+", "…"];
const AFTER = [
  ..." ,.;:!?>]}\"'`*|\n\t\u00a0\u2028。、」»”",
  ...["...", "?!", ").", "),", "**", "’s", '","b":1}', "',", "\\n", "</a>", "<br>", "](https://"],
];

test.each([...BEFORE.map((each) => [each, ""]), ...AFTER.map((each) => ["", each])])(
  "any address between %j and %j becomes a link to what is written",
  (before, after) => {
    for (const address of ADDRESSES)
      expect(linksIn(`${before}${address}${after}`)).toEqual([address]);
  },
);

test.each<[string, string, readonly string[]]>([
  ["brackets around it are not its own", "(https://h.example/a)", ["https://h.example/a"]],
  ["brackets in it are", "(see https://h.example/a_(b)).", ["https://h.example/a_(b)"]],
  [
    "Markdown",
    "[https://a.example/x](https://b.example/y)",
    ["https://a.example/x", "https://b.example/y"],
  ],
  [
    "a list with commas",
    "https://a.example/x,https://b.example/y;http://c.example|http://d.example/",
    ["https://a.example/x", "https://b.example/y", "http://c.example", "http://d.example/"],
  ],
  [
    "JSON, and JSON in JSON",
    '{"a":"https://a.example/x","b":"{\\"c\\":\\"https://b.example/y\\"}"}',
    ["https://a.example/x", "https://b.example/y"],
  ],
  [
    "a dictionary of Python",
    "{'a': 'https://a.example/x', 'b': ['https://b.example/y','https://c.example/z']}",
    ["https://a.example/x", "https://b.example/y", "https://c.example/z"],
  ],
  ["HTML", '<a href="https://a.example/x">', ["https://a.example/x"]],
  [
    "lines",
    "https://a.example/x\nhttps://b.example\r\ny",
    ["https://a.example/x", "https://b.example"],
  ],
  ["an address before an @", "https://a.example, b@c.example", ["https://a.example"]],
  ["an @ in a path", "https://a.example/@b", ["https://a.example/@b"]],
])("%s", (_, text, expected) => {
  expect(linksIn(text)).toEqual(expected);
});

test.each([
  ["nothing after the slashes", "https:// and http://. and https://, (https://) https://…"],
  ["no host", "https:///x https://?x https://#x https://:80/ https://-"],
  ["no such host", "https://[zz]/ https://[::1 https://256.256.256.256/ https://h.example:99999/"],
  ["another scheme", "javascript:alert(1) JavaScript://h.example/%0aalert(1) data:text/html,x"],
  [
    "files and mail",
    "file:///etc/passwd ftp://h.example/ mailto:a@h.example vbscript:x //h.example",
  ],
  ["no scheme", "h.example www.h.example h.example/x.html a@h.example"],
  ["a longer word", "xhttps://h.example éhttp://h.example 1https://h.example"],
  [
    "a login",
    "https://user:secret@h.example/ https://good.example@evil.example http://a:b@[::1]/ http://@h.example",
  ],
  [
    "a login with an ampersand",
    "https://good.example&x@evil.example/ https://a&amp;b@evil.example",
  ],
  ["an address that was cut", "https://h.example/abc… (truncated) https://h.exam… https://h.…"],
  [
    "a control character that was replaced",
    "https://good.example\uFFFD/x https://h.example/a\uFFFDb",
  ],
  [
    "characters without width",
    "https://h.example/a\u200bb https://h.exam\u00adple https://h.example\u2060/",
  ],
  ["a right-to-left mark", "https://h.example/\u202ecod.exe"],
])("%s makes no link", (_, text) => {
  expect(linksIn(text)).toEqual([]);
});

test("the head of the page stays as it is", () => {
  const head = "<html><head><title>https://h.example/x</title></head>";
  expect(linkAddresses(`${head}<body>https://h.example</body></html>`)).toBe(
    `${head}<body><a href="https://h.example">https://h.example</a></body></html>`,
  );
});

test("whatever a text holds, only links are added, and only to http and https", () => {
  const part = fc.oneof(
    fc.constantFrom(
      "http://",
      "https://",
      "h.example",
      "[::1]",
      "/",
      "?",
      "&",
      "#",
      "(",
      ")",
      "[",
      "]",
    ),
    fc.constantFrom(
      "{",
      "}",
      "@",
      ":",
      ".",
      ",",
      "…",
      "'",
      '"',
      "<",
      ">",
      "\\",
      "javascript:",
      "\u202e",
    ),
    fc.string({ unit: "binary", maxLength: 3 }),
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 30 }), (parts) => {
      for (const href of linksIn(parts.join("").toWellFormed())) {
        const { protocol, username, password } = new URL(href);
        expect(protocol).toMatch(/^https?:$/);
        expect(username + password).toBe("");
      }
    }),
    { numRuns: 2_000 },
  );
});

const UNITS = "( [ (a a) https://a ,https://a (a) & ' ! @ a … (((a)".split(" ");

test.each(UNITS)("a megabyte of %s after an address does not hold up the mail", (unit) => {
  // Milliseconds if the time is linear in the length; longer than a test may take if it is quadratic.
  linksIn(`https://h.example/${unit.repeat(1_000_000 / unit.length)}`);
});
