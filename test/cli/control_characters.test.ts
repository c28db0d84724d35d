import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { insertEntry } from "../support/rows.ts";
import { makeSite, type Site } from "../support/site.ts";

/** What a terminal would obey: everything but line breaks and tabs, C1 and the writing direction among it. */
const CONTROL = /[^\P{Cc}\n\t]|[\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/u;
const BIDI = "\u202Etxt.exe\u202C\u2066\u2069\u200E\u200F\u061C";
const EVIL = `\u001b]0;owned\u0007\u001b[31mred\u009b2J\u007f\b\r${BIDI}`;
/** Starts a line that would pass for one of the log's own. */
const FORGED = "\n2026-01-01 00:00:00 UTC error forged";

async function evilSite(): Promise<Site> {
  const made = await makeSite();
  made.module(
    "evil.js",
    `export const detect = (client) => { client.log(${JSON.stringify(EVIL)}); return [{ dedupeKey: ${JSON.stringify(`k${EVIL}`)}, subject: ${JSON.stringify(`s${EVIL}`)}, body: ${JSON.stringify(`b${EVIL}`)}, data: { d: ${JSON.stringify(EVIL)} } }]; };`,
  );
  made.module(
    "throws.js",
    `export const detect = () => { throw new Error(${JSON.stringify(EVIL + FORGED)}); };`,
  );
  await made.withDatabase(async (db) => {
    for (const name of ["evil", "throws"])
      await insertEntry(db, {
        kind: "alarm",
        title: `title ${EVIL}`,
        content: `text ${EVIL}`,
        data: {
          entry_id: `alarm_${name}`,
          recipients: `a@x.org b${EVIL}@x.org`,
          params: { [`p${EVIL}`]: EVIL },
        },
      });
    await insertEntry(db, { kind: "alarm", title: EVIL, data: { entry_id: `alarm_${EVIL}` } });
    await insertEntry(db, { kind: "alarm", title: EVIL, data: {} });
    await insertEntry(db, {
      kind: "team",
      name: `@t${EVIL}`,
      title: EVIL,
      content: `a@x.org ${EVIL}`,
      data: {},
      context: "teams",
    });
  });
  return made;
}

test("control characters from rows and services never reach a terminal", async () => {
  const made = await evilSite();
  for (const args of [
    ["run", "--plan"],
    ["run", "-v"],
    ["run"],
    ["run", "--dry-run"],
    ["run", "list"],
    ["event", "list"],
    ["alarm", "list"],
    ["alarm", "show", "evil"],
    ["alarm", "try", "evil"],
    ["team", "list"],
    ["alarm", "show", `x${EVIL}`],
    // What the parser of the command line quotes.
    [`x${EVIL}`],
    ["run", `--x${EVIL}`],
    ["run", "list", "--limit", EVIL],
    ["alarm", "set", "evil", "--mail", EVIL],
    ["alarm", "set", "evil", "--recipients", `${EVIL}@`],
    ["alarm", "try", "evil", "--param", EVIL],
    ["team", "set", EVIL, EVIL],
    ["team", "remove", EVIL.replace(/\s/g, "")],
  ]) {
    const { stdout, stderr } = await made.command(args);
    expect.soft(stdout, args.join(" ")).not.toMatch(CONTROL);
    expect.soft(stderr, args.join(" ")).not.toMatch(CONTROL);
  }
  expect(made.log()).not.toMatch(CONTROL);
  expect(made.log()).toContain("forged");
  expect(made.log()).not.toMatch(/^2026-01-01/m);
}, 300_000);

test("control characters in names of files and in the configuration do not either", async () => {
  const made = await evilSite();
  // TOML itself refuses this one.
  const evil = EVIL.replace("\u007f", "");
  const folder = join(made.folder, `alarms ${evil}`);
  mkdirSync(folder);
  writeFileSync(join(folder, `x${EVIL}.ts`), "");
  writeFileSync(join(folder, "broken.ts"), "export const detect = ;");
  made.configure({ alarmsDir: folder, logPath: join(made.folder, `log ${evil}`, "run.log") });
  const odd = join(made.folder, `config${EVIL}.toml`);
  writeFileSync(odd, `[engine]\n"key${BIDI}" = "\\u001b[31m"\nbase_url = "\\u001b[31m${BIDI}"\n`);
  for (const args of [
    ["run", "-v"],
    ["alarm", "list"],
    ["run", "--config", odd],
    ["run", "--config", `nowhere${EVIL}`],
  ]) {
    const { stdout, stderr } = await made.command(args);
    expect.soft(stdout, args.join(" ")).not.toMatch(CONTROL);
    expect.soft(stderr, args.join(" ")).not.toMatch(CONTROL);
  }
  const bidi = join(made.folder, `alarms ${BIDI}`);
  mkdirSync(bidi);
  writeFileSync(join(bidi, `x${EVIL}.ts`), "");
  made.configure({ alarmsDir: bidi });
  chmodSync(bidi, 0o777);
  for (const args of [
    ["run", "-v"],
    ["run", "-v", "--allow-writable"],
  ]) {
    const { stdout, stderr } = await made.command(args);
    expect.soft(stdout, args.join(" ")).not.toMatch(CONTROL);
    expect.soft(stderr, args.join(" ")).not.toMatch(CONTROL);
    if (args.length === 2) expect(stderr).toContain("chmod go-w");
  }
});

test("JSON on stdout is free of them too, and says what they were", async () => {
  const made = await evilSite();
  await made.tick();
  for (const args of [
    ["run", "--plan"],
    ["run", "list"],
    ["event", "list"],
    ["alarm", "list"],
    ["alarm", "show", "evil"],
    ["alarm", "try", "evil"],
    ["team", "list"],
  ]) {
    const { stdout, stderr } = await made.command([...args, "--json"]);
    expect.soft(CONTROL.test(stdout), args.join(" ")).toBe(false);
    expect.soft(CONTROL.test(stderr), args.join(" ")).toBe(false);
    expect(JSON.stringify(JSON.parse(stdout)), args.join(" ")).toContain(
      JSON.stringify("\u001b]0;owned").slice(1, -1),
    );
  }
});
