import { readFileSync } from "node:fs";
import fc from "fast-check";
import { stringify } from "smol-toml";
import { expect, test } from "vitest";
import { readChannels } from "../../src/channel/registry.ts";
import type { Config } from "../../src/config/config.ts";
import { type ParsedConfig, parseConfig } from "../../src/config/parse.ts";
import { readSources } from "../../src/source/registry.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../src/text/json.ts";
import { BARE } from "../support/login.ts";
import { anyText, mutate, mutations, ONE_LINE, oddNames } from "./arbitraries.ts";
import { runs } from "./runs.ts";

/** Stands in every place of the valid files that holds a secret. */
const SECRET = "hunter2swordfish";

function parse(text: string): ParsedConfig {
  return parseConfig(text, {
    ...BARE,
    folder: "/etc/swf-alarms",
    alarmFolders: [{ path: "/opt/swf-alarms/alarms" }],
    env: { GRACEDB_TOKEN: SECRET, LOGIN: `ann:${SECRET}`, BAD_TOKEN: `${SECRET}\nx` },
    readText: (path) =>
      path.endsWith(".env") ? `DB_NAME=n\nDB_HOST=h\nDB_USER=u\nDB_PASSWORD=${SECRET}\n` : "",
  });
}

const FULL: JsonObject = {
  engine: {
    base_url: "https://host.example/prod",
    request_timeout: 20,
    alarm_timeout: 60,
    log_path: "run.log",
    alarms_dir: "alarms",
  },
  db: { dsn: `postgresql://u:${SECRET}@host.example:5432/n` },
  email: { provider: "ses", region: "us-east-1", from: "A <a@host.example>" },
  sources: {
    gracedb: {
      base_url: "https://gracedb.example/api",
      user_agent: "swf-alarms (ops@host.example)",
      token_env: "GRACEDB_TOKEN",
      headers: { "X-Key": `Bearer ${SECRET}` },
    },
    local: {
      kind: "http",
      base_url: "unix:///run/service.sock:/api",
      login_env: "LOGIN",
      request_timeout: 5,
      max_per_minute: 30,
    },
  },
};
const WITH_FILE: JsonObject = {
  ...FULL,
  engine: { alarms_dir: ["/srv/alarms", "alarms"] },
  db: { env_path: "/srv/.env" },
  email: { provider: "file", dir: "outbox" },
  channels: {
    files: { type: "file", dir: "outbox", default: true },
    page: { type: "command", command: ["/bin/sh", "page.sh"], timeout: 5 },
  },
};

const EXAMPLE = readFileSync(new URL("../../config.toml.example", import.meta.url), "utf8");
const KEYS = [
  ...oddNames,
  "engine",
  "db",
  "email",
  "sources",
  "dsn",
  "path",
  "env_path",
  "headers",
  "base_url",
  "token_env",
  "login_env",
  "ca_file",
  "kind",
  "max_per_minute",
  "from",
  "dir",
  "region",
  "main",
  "provider",
  "endpoint",
  "channels",
  "command",
  "default",
  "type",
];

function expectSane(parsed: ParsedConfig): void {
  if (parsed.ok) {
    expectSettings(parsed.config);
    return;
  }
  expect(parsed.faults.length).toBeGreaterThan(0);
  expectFaults(parsed.faults);
}

function expectFaults(faults: readonly string[]): void {
  for (const fault of faults) {
    expect(fault).toMatch(ONE_LINE);
    // A key, or the place in a text that is no TOML.
    expect(fault).toMatch(/^(line \d+, column \d+|\S.*): \S/);
    expect(fault.length).toBeLessThan(10_000);
  }
  expect(faults.join("\n")).not.toContain(SECRET);
}

/** What the rest of the engine takes for granted. */
function expectSettings({ engine, sources, db, channels }: Config): void {
  for (const seconds of [engine.requestTimeout, engine.limits.timeout, engine.tickTimeout])
    expect(seconds >= 0.1 && seconds <= 3600).toBe(true);
  const paths = [
    ...engine.alarmFolders.map(({ path }) => path),
    ...(engine.logPath === undefined ? [] : [engine.logPath]),
  ];
  if (db.kind === "embedded") paths.push(db.path);
  for (const { name, opener, faults } of readChannels(channels).values()) {
    expect(name).toMatch(/^[a-z][a-z0-9_-]*$/);
    expectFaults(faults);
    // The fault of another channel is its own.
    if (name === "email") expect(faults).toEqual([]);
    expect(opener === undefined).toBe(faults.length > 0);
  }
  for (const path of paths) expect(path).toMatch(/^\/[^\p{Cc}]*$/u);
  if (db.kind === "server")
    expect(`${db.login.host} ${db.login.user} ${db.login.database}`).toMatch(/^\P{Cc}+$/u);
  for (const name of readSources(sources).keys()) expect(name).toMatch(/^[a-z][a-z0-9_]*$/);
  const { from = "a@h" } = channels.tables.get("email")?.settings ?? {};
  expect(from).toMatch(/^\P{Cc}+@\P{Cc}+$/u);
}

test("any text is settings or faults, each in one line", () => {
  const line = fc.oneof(
    anyText,
    fc.constantFrom(...EXAMPLE.split("\n")),
    fc.constantFrom(...EXAMPLE.split("\n")).map((text) => text.replace(/^# /, "")),
    fc.constantFrom(...stringify(FULL).split("\n")),
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
      expectSane(parse(lines.join("\n")));
    }),
    runs(5),
  );
});

test("the example with lines uncommented, doubled, lost or cut is settings or faults", () => {
  const lines = EXAMPLE.split("\n");
  const what = fc.constantFrom("keep", "keep", "keep", "uncomment", "double", "lose", "cut");
  fc.assert(
    fc.property(fc.array(what, { minLength: lines.length, maxLength: lines.length }), (fates) => {
      const text = lines.flatMap((line, index) => {
        const bare = line.replace(/^# /, "");
        if (fates[index] === "uncomment") return [bare];
        if (fates[index] === "double") return [bare, bare];
        if (fates[index] === "cut") return [bare.slice(0, bare.length / 2)];
        return fates[index] === "lose" ? [] : [line];
      });
      expectSane(parse(text.join("\n")));
    }),
    runs(2),
  );
});

/** Values of wrong types, and right ones of other keys. */
const value: fc.Arbitrary<JsonValue> = fc.oneof(
  anyText,
  fc.integer(),
  fc.double(),
  fc.boolean(),
  fc.constantFrom<JsonValue[]>(
    "http://h/?",
    "http://h/#",
    " http://h",
    "http://h/a b",
    "https://h\t/",
    "postgres://h/n",
    "constructor",
    "hasOwnProperty",
    "__proto__",
    "BAD_TOKEN",
    "\u2192",
    "a@h",
    "\u001b[2J <a@h>",
    "ses",
    "file",
    "a\0b",
    [],
    {},
    [{}],
    { a: { b: { c: 1 } } },
  ),
);

test("a valid configuration with keys and values lost, renamed, swapped or replaced is settings or faults", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(FULL, WITH_FILE),
      mutations(value, fc.oneof(fc.constantFrom(...KEYS), anyText), 3),
      (valid, changes) => {
        const changed = mutate(valid, changes);
        const table = isJsonObject(changed) ? changed : {};
        const parsed = parse(toml(table));
        expectSane(parsed);
        if (!parsed.ok) return;
        // Nothing that the file says was passed over in silence.
        for (const key of Object.keys(table))
          expect(["engine", "db", "email", "channels", "sources"]).toContain(key);
        const names = isJsonObject(table.sources) ? Object.keys(table.sources) : [];
        const { main: _, ...others } = Object.fromEntries(parsed.config.sources.tables);
        expect(Object.keys(others).sort()).toEqual(names.sort());
        const more = isJsonObject(table.channels) ? Object.keys(table.channels) : [];
        const email = table.email === undefined ? [] : ["email"];
        expect([...parsed.config.channels.tables.keys()].sort()).toEqual(
          [...more, ...email].sort(),
        );
      },
    ),
    runs(10),
  );
});

/** TOML has no null, and no text with half a character. */
function toml(table: JsonObject): string {
  const writable = (item: JsonValue): JsonValue => {
    if (typeof item === "string") return item.toWellFormed();
    if (Array.isArray(item)) return item.map(writable);
    if (!isJsonObject(item)) return item ?? 0;
    return Object.fromEntries(
      Object.entries(item).map(([key, part]) => [key.toWellFormed(), writable(part ?? 0)]),
    );
  };
  return stringify(writable(table));
}
