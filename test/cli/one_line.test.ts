import { expect, test } from "vitest";
import { insertAlarm, insertEntry, only } from "../support/rows.ts";
import { makeSite, type Site } from "../support/site.ts";

const BREAKS = ["\n", "\r", "\r\n", "\n\n", "\v", "\f", "\u0085", "\u2028", "\u2029"];
/** What a person would believe, at the start of a line, or as an item of a list. */
const FORGED = ["all is well", "swf-alarms: fine", "    open   k9: new", "outcome complete: 0"];
const EVIL = BREAKS.flatMap((end, index) => `x${end}${FORGED[index % FORGED.length]}`).join("");
const TEXT = JSON.stringify(EVIL);

async function evilSite(): Promise<Site> {
  const site = await makeSite({ more: '[sources.more]\nbase_url = "http://127.0.0.1:9"\n' });
  const head = `export const TITLE = ${TEXT}; export const DESCRIPTION = ${TEXT};`;
  const module = (name: string, body: string, more = "") =>
    site.module(
      `${name}.js`,
      `${head}\n${more}\nexport async function* detect(client) { ${body} }`,
    );
  const detection = `{ dedupeKey: "k" + ${TEXT}, subject: ${TEXT}, body: ${TEXT}, data: { [${TEXT}]: ${TEXT} } }`;
  module("yields", `client.log(${TEXT}); console.log(${TEXT}); yield ${detection};`);
  module("partial", `yield ${detection}; client.incomplete(${TEXT});`);
  module("throws", `throw new Error(${TEXT});`);
  module("odd", `yield { dedupeKey: {}, subject: ${TEXT} }; throw ${TEXT};`);
  // Every command would wait for the retries.
  module("asks", `await client.request("/things/", { attempts: 1 });`);
  module("lacks", "", `export const SOURCES = [${TEXT}];`);
  module("params", "", `export const PARAMS = { [${TEXT}]: { type: ${TEXT} } };`);
  module("imports", "", `throw new Error(${TEXT});`);
  site.source.answer = (_, response) => {
    response.writeHead(500, { "content-type": "text/plain" });
    response.end(EVIL);
  };
  await site.withDatabase(async (db) => {
    const texts = { title: EVIL, content: EVIL };
    for (const name of ["yields", "partial", "throws", "odd", "asks", "lacks", "params", "imports"])
      await insertAlarm(db, name, { recipients: `ops@example.org @t${EVIL}` }, texts);
    await insertAlarm(db, `row${EVIL}`, {}, texts);
    await insertAlarm(db, "no_module", { module: EVIL }, texts);
    await insertEntry(db, { kind: "team", name: `@t${EVIL}`, ...texts, context: "teams" });
    const data = { alarm: "alarm_yields", outcome: "failed", error: EVIL };
    await insertEntry(db, { kind: "notification", title: EVIL, data, created: Date.now() / 1000 });
    const skip = { at: Date.now() / 1000, host: EVIL, pid: 1, reason: EVIL };
    await insertEntry(db, { kind: "skipped_tick", data: skip });
  });
  return site;
}

/** Bodies have lines, which are indented; nothing else does. */
function expectOneLine(text: string, what: string, isBody = false): void {
  for (const line of text.split(/[\n\v\f\r\u0085\u2028\u2029]/))
    for (const forged of FORGED)
      expect
        .soft(isBody ? line : line.trimStart(), `${what}: ${JSON.stringify(line)}`)
        .not.toMatch(new RegExp(`^${isBody ? forged : forged.trimStart()}`));
}

test("a line break in a text of a module, a service or a row makes no line of its own", async () => {
  const site = await evilSite();
  const names = ["yields", "partial", "throws", "odd", "asks", "lacks", "params", "imports"];
  const commands: readonly (readonly string[])[] = [
    ["run", "--plan"],
    ["run", "--plan", "-v"],
    ["run", "--dry-run"],
    ["run", "-v"],
    ["run"],
    ["run", "list"],
    ["event", "list"],
    ["event", "list", "--all", "--alarm", `row${EVIL}`],
    ["status"],
    ["alarm", "list"],
    ["team", "list"],
    ["team", "remove", `@t${EVIL}`],
    ["run", "--alarm", `none${EVIL}`],
    [`none${EVIL}`],
    ["alarm", "set", "yields", "--param", `${EVIL}=${EVIL}`],
    ["alarm", "set", "yields", "--recipients", `@none${EVIL.replace(/\s/gu, "")}`],
    ["alarm", "show", `none${EVIL}`],
  ];
  for (const args of commands) {
    const { stdout, stderr } = await site.command(args);
    expectOneLine(stdout, args.join(" "));
    expectOneLine(stderr, args.join(" "));
    expect(stdout + stderr, args.join(" ")).toMatch(/\S/);
  }
  for (const name of names)
    for (const command of ["show", "try"]) {
      const { stdout, stderr } = await site.command(["alarm", command, name]);
      // The description, and the body of a detection.
      expectOneLine(stdout, `${command} ${name}`, true);
      expectOneLine(stderr, `${command} ${name}`);
    }
  expectOneLine(site.log(), "log");
  expect(site.log()).toContain("all is well");

  const [run] = (await site.entries("engine_run")).slice(-1);
  const { error_details: details, per_alarm: perAlarm } = Object(run?.data);
  for (const error of String(details).split("\n\n")) expect(error).not.toMatch(/\n|^all is well/);
  expect(details).toContain("all is well");
  for (const [name, record] of Object.entries(perAlarm)) {
    const { error_message: message, notes = [] } = Object(record);
    for (const text of [message, ...notes]) expectOneLine(String(text), name);
  }
  expect(site.mail.mails.length).toBeGreaterThan(0);
  for (const { subject, text } of site.mail.mails) {
    expectOneLine(subject, "mail");
    // The alarm's description is above.
    expectOneLine(text.slice(Math.max(0, text.indexOf("\n---\n"))), "mail", true);
  }
}, 300_000);

test("a message of several lines is indented, as a defect's stack trace is", async () => {
  const site = await makeSite({ database: "embedded" });
  site.configure({ database: "embedded", engine: 'x = "a"\ny = "b"' });
  const { stderr } = await site.command(["status"]);
  const [first, ...further] = stderr.trimEnd().split("\n");
  expect(first).toMatch(/^swf-alarms: 2 faults in the configuration/);
  expect(further).toHaveLength(2);
  for (const line of further) expect(line).toMatch(/^ {2}/);
});

test("only what a list shows is one line: bodies keep their lines, indented", async () => {
  const site = await makeSite();
  const text = JSON.stringify("one\ntwo\r\nthree");
  site.module(
    "lines.js",
    `export const DESCRIPTION = ${text}; export const detect = () => [{ dedupeKey: ${text}, subject: ${text}, body: ${text} }];`,
  );
  const tried = (await site.command(["alarm", "try", "lines"])).stdout.split("\n");
  expect(tried.slice(0, 4)).toEqual([
    "one two three: one two three",
    "    one",
    "    two",
    "    three",
  ]);
  await site.tick();
  const shown = (await site.command(["alarm", "show", "lines"])).stdout.split("\n");
  expect(shown.slice(1, 3)).toEqual(["  one", "  two"]);
  expect(only(await site.entries("event")).data).toMatchObject({ dedupe_key: "one\ntwo\r\nthree" });
});
