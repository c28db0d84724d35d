import { expect, test } from "vitest";
import { perAlarm } from "../support/contract.ts";
import { json } from "../support/http_server.ts";
import { insertAlarm, insertEntry, only } from "../support/rows.ts";
import { makeSite, type Site } from "../support/site.ts";

/** Modules without a defect. Each has an active event `still`, which it detects again, and `gone`, which it does not. */
const INNOCENT: { readonly [name: string]: string } = {
  lists: `
const LIMITS = Object.fromEntries([["low", 1]].map(([name, value]) => [name, value]));
export async function* detect(client) {
  const items = [];
  for await (const item of client.pages("/things/")) items.push(item);
  const known = new Map(items.map((item) => [item.key, item]));
  for (const { key } of items.filter(({ size }) => size > LIMITS.low))
    if (known.get(key) !== undefined) yield { dedupeKey: key, subject: JSON.parse(JSON.stringify(key)) };
}`,
  params: `
export const PARAMS = Object.fromEntries(
  ["low", "high"].map((name) => [name, { type: "number", default: name.length, description: name }]));
export async function* detect(client, { low, high }) {
  for (const { key, size } of (await client.get("/things/")).items) if (size > low && size > high) yield { dedupeKey: key };
}`,
  classes: `
function Task(key) { this.key = key; }
Task.prototype.toString = function () { return this.key; };
export const detect = () => [{ dedupeKey: String(new Task("still")) }];`,
  surroundings: `
import { EventEmitter } from "node:events";
import { existsSync } from "node:fs";
const here = process.cwd();
export async function* detect() {
  const emitter = new EventEmitter();
  let heard = "";
  emitter.once("key", (key) => { heard = key; });
  await new Promise((done) => setTimeout(done, 20));
  emitter.emit("key", new URL("http://localhost/still").pathname.slice(1));
  if (Date.now() > 1.6e12 && process.env.PATH !== undefined && here !== "/" && existsSync(".")) yield { dedupeKey: heard };
}`,
};

/** What one module does to its process, when its `detect` runs or when it is imported. */
const CHANGES: { readonly [what: string]: string } = {
  "replaces Array.prototype.map": "Array.prototype.map = () => [];",
  "replaces Array.prototype.filter": "Array.prototype.filter = () => [];",
  "replaces the iteration of lists": "Array.prototype[Symbol.iterator] = function* () {};",
  "ends all list iterators":
    "Object.getPrototypeOf([][Symbol.iterator]()).next = () => ({ done: true, value: undefined });",
  "ends all generators":
    "for (const make of [function* () {}, async function* () {}]) make.constructor.prototype.prototype.next = () => ({ done: true, value: undefined });",
  "freezes all prototypes":
    "for (const name of Object.getOwnPropertyNames(globalThis)) { const found = Reflect.get(globalThis, name)?.prototype; if (found) Object.freeze(found); }",
  "replaces JSON.parse": "JSON.parse = () => ({ items: [] });",
  "breaks JSON.parse": "JSON.parse = () => { throw new SyntaxError('no'); };",
  "replaces Map.prototype.get": "Map.prototype.get = () => undefined;",
  "replaces Date.now": "Date.now = () => 0;",
  "replaces Object.fromEntries": "Object.fromEntries = () => ({});",
  "replaces String.prototype.slice": 'String.prototype.slice = () => "";',
  "freezes Object.prototype": "Object.freeze(Object.prototype);",
  "freezes Array.prototype": "Object.freeze(Array.prototype);",
  "adds to Object.prototype": 'Object.prototype.size = 0; Object.prototype.low = "x";',
  "removes URL": "delete globalThis.URL;",
  "changes the folder": 'process.chdir("/");',
  "changes the environment": "delete process.env.PATH;",
  "leaves a setInterval":
    "setInterval(() => { for (const end = performance.now() + 900; performance.now() < end;); }, 1);",
  "leaves a setImmediate loop":
    "setImmediate(function again() { for (const end = performance.now() + 900; performance.now() < end;); setImmediate(again); });",
  "writes to the engine later":
    'import("node:fs").then(({ writeSync }) => setTimeout(() => writeSync(3, "x\\n"), 30).unref());',
  "leaves a rejection for later":
    'setTimeout(() => { Promise.reject(new Error("late")); }, 30).unref();',
  "leaves an exit for later": "setTimeout(() => { process.exit(0); }, 30).unref();",
  "listens to the process": 'process.on("newListener", () => { throw new Error("heard"); });',
  "keeps memory": "globalThis.kept = Buffer.alloc(220 * 2 ** 20, 1);",
  "replaces performance.now": "let at = 0; performance.now = () => (at += 1e9);",
  "replaces Set.prototype.has": "Set.prototype.has = () => true;",
};

/** After these, one other module needs all of its time. */
const BLOCKING: { readonly [what: string]: string } = {
  "replaces Promise.prototype.then": "Promise.prototype.then = () => {};",
  "replaces setTimeout": "globalThis.setTimeout = () => {};",
  "changes Node's events":
    'import("node:events").then(({ EventEmitter }) => { EventEmitter.prototype.emit = () => false; });',
  "leaves a loop that is not counted": "setTimeout(() => { for (;;); }, 30).unref();",
  "leaves microtasks for later":
    "setTimeout(() => { (function again() { Promise.resolve().then(again); })(); }, 30).unref();",
};

function guilty(text: string, when: When): string {
  const [atImport, atRun] = when === "imported" ? [text, ""] : ["", text];
  return `${atImport}
export async function* detect() { yield { dedupeKey: "own" }; ${atRun} }`;
}

const AFTER = Object.keys(INNOCENT).map((name) => `z_${name}`);
/** By the order of their names; what a guilty one does when it is run comes after those before it. */
const NEIGHBOURS = {
  imported: [...Object.keys(INNOCENT).map((name) => `a_${name}`), ...AFTER],
  run: AFTER,
} as const;
type When = keyof typeof NEIGHBOURS;

/** A site with a module that does this, and its innocent neighbours. */
async function sharedSite(text: string, when: When): Promise<Site> {
  const site = await makeSite({
    mail: "none",
    engine: "alarm_timeout = 8\nalarm_memory = 128\nquarantine_after = 1",
  });
  site.source.answer = (_, response) =>
    json(response, { items: [{ key: "still", size: 9 }], has_more: false, next_before_id: null });
  site.module("m_guilty.js", guilty(text, when));
  await site.withDatabase(async (db) => {
    await insertAlarm(db, "m_guilty");
    for (const name of NEIGHBOURS[when]) {
      site.module(`${name}.js`, INNOCENT[name.slice(2)] ?? "");
      const alarm = await insertAlarm(db, name);
      for (const key of ["still", "gone"])
        await insertEntry(db, {
          kind: "event",
          title: key,
          content: "",
          status: "active",
          data: {
            entry_id: `event_${name}`,
            alarm_config_id: alarm,
            dedupe_key: key,
            subject: key,
            recipients: [],
            fire_time: 1_700_000_000,
            last_seen: 1_700_000_000,
            clear_time: null,
          },
        });
    }
  });
  return site;
}

async function expectInnocence(site: Site, what: string, when: When): Promise<void> {
  const run = only(await site.entries("engine_run"));
  for (const name of NEIGHBOURS[when])
    expect(perAlarm(run, `alarm_${name}`), `${name}, ${what}`).toMatchObject({
      errors: 0,
      alarms_seen: 1,
      outcome: "complete",
      cleared: 1,
    });
  const events = await site.entries("event");
  const active = events.filter(({ data }) => data.clear_time === null);
  const found = active.map(({ data }) => `${data.entry_id} ${data.dedupe_key}`);
  expect(found.filter((event) => !event.startsWith("event_m_guilty")).sort(), what).toEqual(
    NEIGHBOURS[when].map((name) => `event_${name} still`).sort(),
  );
}

const CASES = [
  ...Object.entries(CHANGES).map(([what, text]) => [what, "imported", text] as const),
  ...Object.entries(CHANGES).map(([what, text]) => [what, "run", text] as const),
];

test.each(CASES)(
  "a module that %s when it is %s changes no other alarm's events",
  {
    timeout: 120_000,
  },
  async (what, when, text) => {
    const site = await sharedSite(text, when);
    await site.tick();
    await expectInnocence(site, what, when);
  },
);

test("modules that take another module's time when they are imported change no other alarm's events", {
  timeout: 120_000,
}, async () => {
  const blocked: [string, Site][] = [];
  for (const [what, text] of Object.entries(BLOCKING))
    blocked.push([what, await sharedSite(text, "imported")]);
  // At the same time, because each waits until that time is over.
  await Promise.all(blocked.map(([, site]) => site.tick()));
  for (const [what, site] of blocked) await expectInnocence(site, what, "imported");
});

/** Those that could keep another module from finding anything, without an error. */
const SILENCING = Object.entries(CHANGES).filter(([what]) => /^(replaces|ends)/.test(what));

test.each(SILENCING)(
  "an alarm without active events finds what is wrong after a module that %s",
  { timeout: 120_000 },
  async (_, text) => {
    const site = await makeSite({ mail: "none", engine: "alarm_timeout = 30" });
    site.source.answer = (_request, response) =>
      json(response, { items: [{ key: "new", size: 9 }], has_more: false, next_before_id: null });
    site.module("m_guilty.js", guilty(text, "run"));
    site.module("z_lists.js", INNOCENT.lists ?? "");
    await site.withDatabase(async (db) => {
      for (const name of ["m_guilty", "z_lists"]) await insertAlarm(db, name);
    });
    for (let ticks = 0; ticks < 2; ticks++) await site.tick();
    const events = (await site.entries("event")).map(({ data }) => data.entry_id);
    expect(events).toContain("event_z_lists");
  },
);
