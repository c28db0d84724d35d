import { expect, test } from "vitest";
import { insertEntry } from "../support/rows.ts";
import { makeSite, type Site } from "../support/site.ts";

/** What a terminal would obey: everything but line breaks and tabs, C1 among it. */
const CONTROL = /[^\P{Cc}\n\t]/u;
const EVIL = "\u001b]0;owned\u0007\u001b[31mred\u009b2J\u007f\b\r";

async function evilSite(): Promise<Site> {
  const made = await makeSite();
  made.module(
    "evil.js",
    `export const detect = (client) => { client.log(${JSON.stringify(EVIL)}); return [{ dedupeKey: ${JSON.stringify(`k${EVIL}`)}, subject: ${JSON.stringify(`s${EVIL}`)}, body: ${JSON.stringify(`b${EVIL}`)}, data: { d: ${JSON.stringify(EVIL)} } }]; };`,
  );
  made.module(
    "throws.js",
    `export const detect = () => { throw new Error(${JSON.stringify(EVIL)}); };`,
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
  ]) {
    const { stdout, stderr } = await made.command(args);
    expect.soft(stdout, args.join(" ")).not.toMatch(CONTROL);
    expect.soft(stderr, args.join(" ")).not.toMatch(CONTROL);
  }
  expect(made.log()).not.toMatch(CONTROL);
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
