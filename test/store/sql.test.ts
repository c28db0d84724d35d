import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

/**
 * SQL is parameterised: what a statement's text is put together from are constants of the store alone.
 * Everything else travels as `$1`, so that no text from a row, a module or a service is ever SQL.
 */
const FOLDER = fileURLToPath(new URL("../../src/store", import.meta.url));

/** Functions that make a piece of SQL; their arguments must be plain texts or constants. */
const MAKERS = ["numberAt"];

/** Statements that are no plain text, each with the reason why nothing foreign is in them. */
const KNOWN: readonly string[] = [
  // The text of a migration file, from the package's own folder.
  "migrate.ts: {sql}",
  "migrate.ts: {ledger}",
  // The name of that file.
  "migrate.ts: {name}",
  // A clause of the kind's own file, judged there like any SQL.
  "entry.ts: {onConflict}",
  // One of two constants.
  "event_list.ts: all",
  // Numbers of the limits, a schema's name as a literal, and constants.
  "postgres/session.ts: {statement}",
  "postgres/session.ts: {wait}",
  "postgres/session.ts: {idle}",
  'postgres/session.ts: {searchPath ?? "NULL"}',
  `postgres/session.ts: {flush ? "NULL" : "'off'"}`,
  // A number in a message.
  "postgres/connect.ts: {Number(pid)}",
  "postgres/lock.ts: {pid}",
  // The name of an alarm, a constant of the core.
  "unsent.ts: {eventEntryId(ENGINE)}",
  "events.ts: {eventEntryId(ENGINE)}",
  // Constants that are written at each call.
  "stamps.ts: {value}",
  "entry.ts: {object}",
  "entry.ts: {key}",
  "channel_records.ts: {condition}",
  `channel_records.ts: {last("data->>'outcome' IN ('delivered', 'partial')")}`,
  `channel_records.ts: {last("data ? 'error'")}`,
  // What the functions above it write, and a constant or "true".
  "events.ts: {data}",
  "events.ts: {condition}",
];

/** The drivers hand on the statements that the rest of the store makes. */
const DRIVER = /^(embedded|postgres)\/(database|session)\.ts$/;

interface Piece {
  readonly text: string;
  /** Handed to the database as it stands. */
  readonly passed?: boolean;
  /** What stands in `${…}`, without it. */
  readonly holes: readonly string[];
}

const COMMENT = /\/\/.*|\/\*[\s\S]*?\*\//y;
const REGEXP = /(?<=[(,=:[!&|?{};\n]\s*)\/(?![/*])(\\.|\[(\\.|[^\]\n\\])*\]|[^/\n\\[])+\//y;
const PLAIN = /"(\\.|[^"\\\n])*"|'(\\.|[^'\\\n])*'/y;

/** The texts and templates of a source text, without comments; a template in a hole is a part of the hole. */
function readPieces(code: string): readonly Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  const next = (kind: RegExp): string | undefined => {
    kind.lastIndex = at;
    return kind.exec(code)?.[0];
  };
  while (at < code.length) {
    const plain = next(PLAIN);
    if (plain !== undefined) {
      pieces.push({ text: plain, holes: [] });
      at += plain.length;
    } else if (code[at] === "`") {
      const { length, holes } = readTemplate(code.slice(at));
      const passed = /\.(query|script)(<[^(]*>)?\(\s*$/.test(code.slice(0, at));
      pieces.push({ text: code.slice(at, at + length), passed, holes });
      at += length;
    } else at += (next(COMMENT) ?? next(REGEXP) ?? " ").length;
  }
  return pieces;
}

function readTemplate(code: string): {
  readonly length: number;
  readonly holes: readonly string[];
} {
  const holes: string[] = [];
  let at = 1;
  while (at < code.length && code[at] !== "`") {
    if (code[at] === "\\") at += 2;
    else if (code[at] === "$" && code[at + 1] === "{") {
      const start = at + 2;
      let depth = 1;
      at = start;
      while (depth > 0) {
        if (code[at] === "`") at += readTemplate(code.slice(at)).length;
        else {
          if (code[at] === "{") depth += 1;
          if (code[at] === "}") depth -= 1;
          at += 1;
        }
      }
      holes.push(code.slice(start, at - 1).trim());
    } else at += 1;
  }
  return { length: at + 1, holes };
}

const SQL =
  /\b(SELECT|INSERT INTO|UPDATE \w+ SET|UPDATE entry|DELETE FROM|CREATE (TABLE|INDEX|UNIQUE|ROLE)|ALTER|TRUNCATE|COPY|WHERE|VALUES|ON CONFLICT|jsonb_typeof|context_id = )\b/;

/** Constants of the folder: their names are in capitals, and what they hold is judged like any SQL. */
function isConstant(hole: string, constants: ReadonlySet<string>): boolean {
  if (constants.has(hole)) return true;
  const [, maker = "", argument = ""] = /^(\w+)\(([^(),]+)\)$/.exec(hole) ?? [];
  return MAKERS.includes(maker) && (/^"[\w ]*"$/.test(argument) || constants.has(argument));
}

/** What is put into SQL and is neither a constant nor known. */
function foreignParts(
  file: string,
  code: string,
  constants: ReadonlySet<string>,
): readonly string[] {
  const holes = readPieces(code)
    .filter(({ text, passed }) => passed === true || (SQL.test(text) && !isMessage(text)))
    .flatMap((piece) => piece.holes)
    .filter((hole) => !isConstant(hole, constants))
    // The makers' own pieces: their arguments are judged where they are called.
    .filter((hole) => !MAKERS.some((maker) => code.includes(`function ${maker}(${hole}: string)`)));
  const statements = [
    ...code.matchAll(/\.(?:query|script)(?:<[^(]*>)?\(\s*(\w+\([^()]*\)|[^\s,)]+)/g),
  ]
    .map(([, first = ""]) => first)
    .filter(
      (first) => !/^["'`]/.test(first) && !isConstant(first, constants) && !DRIVER.test(file),
    );
  const joined = [...code.matchAll(/\b(?:SELECT|INSERT|UPDATE|DELETE)\b[^`"\n]*["`]\s*\+/g)].map(
    ([text]) => text,
  );
  return [
    ...holes.map((hole) => `${file}: {${hole}}`),
    ...statements.map((name) => `${file}: ${name}`),
    ...joined,
  ];
}

/** Words for people that name SQL, as messages do. */
function isMessage(text: string): boolean {
  return /(; |: |, )(set|point|grant|run|update|have it ended)\b|: \$\{\w+\(error\)\}/i.test(text);
}

function constantsIn(code: string): readonly string[] {
  return [...code.matchAll(/^(?:export )?const ([A-Z][A-Z_]*)\b(?:: [^=]+)? =\s*(["'`]|\d)/gm)].map(
    ([, name = ""]) => name,
  );
}

const files = readdirSync(FOLDER, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts"))
  .map((file) => ({ file, code: readFileSync(join(FOLDER, file), "utf8") }));
const constants = new Set(files.flatMap(({ code }) => constantsIn(code)));

describe("a statement is judged", () => {
  test.each([
    ["with a parameter", 'db.query("SELECT 1 WHERE id = $1", [id]);', []],
    ["with a constant of the store", "db.query(`SELECT 1 WHERE §{ACTIVE}`);", []],
    ["with a maker of SQL", 'db.query(`SELECT §{numberAt("fire_time")} FROM entry`);', []],
    ["with a value in it", "db.query(`SELECT 1 WHERE id = '§{id}'`);", ["x.ts: {id}"]],
    ["with a call in it", "db.query(`SELECT 1 WHERE id = §{quote(id)}`);", ["x.ts: {quote(id)}"]],
    [
      "with a maker that gets a value",
      "db.query(`SELECT §{numberAt(key)} FROM entry`);",
      ["x.ts: {numberAt(key)}"],
    ],
    ["that a maker makes of a constant", "db.query(numberAt(ACTIVE), [id]);", []],
    ["that a maker makes of a value", "db.query(numberAt(sql), [id]);", ["x.ts: numberAt(sql)"]],
    ["that no maker makes", "db.query(quote(ACTIVE));", ["x.ts: quote(ACTIVE)"]],
    ["that a variable holds", "db.query(sql, params);", ["x.ts: sql"]],
    ["that was put together before", "const sql = `SELECT 1 WHERE §{a}`;", ["x.ts: {a}"]],
    ["that is joined", 'db.query("SELECT 1 WHERE id = " + id);', ['SELECT 1 WHERE id = " +']],
    [
      "with a template in its hole",
      "db.query(`SELECT 1 WHERE §{ids.map((x) => `'§{x}'`)}`);",
      ["x.ts: {ids.map((x) => `'§{x}'`)}"],
    ],
    ["that says nothing of SQL", "db.script(`§{a};`);", ["x.ts: {a}"]],
    ["not where it is a comment", "// db.query(`SELECT 1 WHERE §{a}`)\n", []],
    ["not where it is a message", "throw new Error(`cannot SELECT from §{table}; set it`);", []],
  ])("%s", (_, code, expected) => {
    // Biome takes a hole in a plain text for a slip.
    const found = foreignParts("x.ts", code.replaceAll("§", "$"), new Set(["ACTIVE"]));
    expect(found.map((part) => part.replaceAll("$", "§"))).toEqual(expected);
  });
});

test("every statement of the store holds nothing but constants and parameters", () => {
  const found = new Set(files.flatMap(({ file, code }) => foreignParts(file, code, constants)));
  expect([...found].filter((part) => !KNOWN.includes(part))).toEqual([]);
  // What is no longer there needs no exception.
  expect(KNOWN.filter((part) => !found.has(part))).toEqual([]);
});

test("the reader finds the store's statements", () => {
  const statements = files.flatMap(({ code }) =>
    readPieces(code).filter(({ text }) => SQL.test(text)),
  );
  expect(statements.length).toBeGreaterThan(20);
  expect(constants).toContain("ALARMS_CONTEXT");
});

test("only the store speaks SQL", () => {
  const src = join(FOLDER, "..");
  const elsewhere = readdirSync(src, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && !file.startsWith("store"))
    // A wrapper of the database passes statements on.
    .filter((file) => /\.(query|script)\((?!sql\b)/.test(readFileSync(join(src, file), "utf8")));
  expect(elsewhere).toEqual([]);
});

test("the migrations' names, which stand in a statement, are plain", () => {
  for (const file of readdirSync(join(FOLDER, "../../migrations")))
    expect(file).toMatch(/^\d{4}_[a-z0-9_]+\.sql$/);
});
