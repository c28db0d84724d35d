import { execFile } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { MAIL_TYPES, readChannels, TYPES } from "../../src/channel/registry.ts";
import { Db } from "../../src/config/db.ts";
import { Engine } from "../../src/config/engine.ts";
import { parseConfig } from "../../src/config/parse.ts";
import { KINDS } from "../../src/source/registry.ts";
import { cleanEnvironment } from "../deploy/checkout_copy.ts";
import { AUTHOR_SETTINGS, checkTypes } from "../support/author_types.ts";
import { json, startServer, type TestServer } from "../support/http_server.ts";
import { BARE } from "../support/login.ts";
import { runEngine } from "../support/process.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const README = readFileSync(join(ROOT, "README.md"), "utf8");
const EXAMPLE = readFileSync(join(ROOT, "config.toml.example"), "utf8");

const TABLES = ["engine", "db", "email", "channels.NAME", "sources.NAME"] as const;
/** Many processes, one after the other, on machines with two cores. */
const SLOW = 300_000;

test(
  "the usage in README.md and docs/commands.md is what the commands print (else: npm run docs)",
  async () => {
    const script = join(ROOT, "test", "support", "readme_usage.mjs");
    await promisify(execFile)(process.execPath, [script, "--check"]);
  },
  SLOW,
);

describe("configuration keys", () => {
  test.each(TABLES)(
    "[%s]: docs/configuration.md has exactly those that the engine knows",
    (table) => {
      expect([...new Set(documentedKeys().get(table))].sort()).toEqual(knownKeys(table));
    },
  );

  test.each(TABLES)("[%s]: config.toml.example names all, and sets no other", (table) => {
    const known = knownKeys(table);
    const written = exampleLines(table).flatMap((line) => /^(\w+) =/.exec(line)?.[1] ?? []);
    expect(written.filter((key) => !known.includes(key))).toEqual([]);
    const text = exampleLines(table).join("\n");
    expect(known.filter((key) => !new RegExp(`\\b${key}\\b`).test(text))).toEqual([]);
  });

  test("config.toml.example is right as it stands, and each part that it offers is too", () => {
    expect(parse(EXAMPLE)).toEqual([]);
    const noProgram =
      /^channels\.pager\.command: cannot find the program \/usr\/local\/bin\/page; /;
    for (const [marker, next, ...faults] of [
      ['# [email]\n# provider = "file"', "\n\n"],
      ['# [email]\n# provider = "ses"', "\n\n"],
      ["# [channels.pager]", "\n\n", noProgram],
      ["# [sources.gracedb]", "\n\n"],
      ["# [sources.inventory]", "\n\n"],
      ["# [sources.supervisord]", "\n\n"],
      ["# [sources.supervisord_events]", "\n\n"],
      ["# [sources.enrgdaq]", undefined],
    ] as const) {
      const start = EXAMPLE.indexOf(marker);
      expect(start).toBeGreaterThan(0);
      const part = EXAMPLE.slice(start, next && EXAMPLE.indexOf(next, start));
      const expected = faults.map((fault) => expect.stringMatching(fault));
      expect(parse(part.replace(/^# /gm, ""))).toEqual(expected);
    }
  });
});

/** Faults of a configuration text. */
function parse(text: string): readonly string[] {
  const around = {
    ...BARE,
    env: { GRACEDB_TOKEN: "x", INVENTORY_LOGIN: "ann:x", SUPERVISORD_LOGIN: "ann:x" },
  };
  const parsed = parseConfig(text, around);
  if (!parsed.ok) return parsed.faults;
  return [...readChannels(parsed.config.channels).values()].flatMap(({ faults }) => faults);
}

/** The keys of a table as the schema has them. */
function knownKeys(table: (typeof TABLES)[number]): string[] {
  const keysOf = ({ entries }: { entries: object }) => Object.keys(entries);
  const mail = Object.values(MAIL_TYPES);
  // Those of mail are described with [email].
  const others = Object.values(TYPES).filter((type) => !mail.includes(type));
  const keys = {
    engine: keysOf(Engine),
    db: keysOf(Db),
    email: ["provider", "default", "operators", ...mail.flatMap((type) => type.keys)],
    "channels.NAME": ["type", "default", ...others.flatMap((type) => type.keys)],
    "sources.NAME": ["kind", ...Object.values(KINDS).flatMap(({ keys: own }) => own)],
  };
  return [...new Set(keys[table])].sort();
}

/** The first column of the tables of settings in docs/configuration.md, by configuration table. */
function documentedKeys(): Map<string, string[]> {
  const text = readFileSync(join(ROOT, "docs", "configuration.md"), "utf8");
  const section = text.match(/^\| key \| default \| meaning \|\n(\|.*\n)+/gm)?.join("") ?? "";
  const keys = new Map<string, string[]>();
  let current: string[] = [];
  for (const [, cell = ""] of section.matchAll(/^\| ([^|]*) \|/gm)) {
    const table = /^\*\*`\[(.*)\]`\*\*$/.exec(cell)?.[1];
    if (table !== undefined) {
      current = [];
      keys.set(table, current);
    } else for (const [, key = ""] of cell.matchAll(/`(\w+)`/g)) current.push(key);
  }
  return keys;
}

/** The lines of the example that belong to a table, commented out or not, without the comment sign. */
function exampleLines(table: string): string[] {
  const lines: string[] = [];
  let current = "";
  for (const line of EXAMPLE.split("\n").map((text) => text.replace(/^# ?/, ""))) {
    const header = /^\[([a-z.]+)\]$/.exec(line)?.[1];
    if (header !== undefined) current = header.replace(/^(sources|channels)\..*/, "$1.NAME");
    else if (current === table) lines.push(line);
  }
  return lines;
}

describe("the alarm in the README", () => {
  const [, file = "", source = ""] =
    /<!-- example alarm: (\S+) -->\n```ts\n(.*?)```/su.exec(README) ?? [];
  const [, testFile = "", testSource = ""] =
    /<!-- example test: (\S+) -->\n```js\n(.*?)```/su.exec(README) ?? [];
  let site: string;
  let server: TestServer;

  beforeAll(async () => {
    site = mkdtempSync(join(tmpdir(), "swf-alarms-readme-"));
    const hoursAgo = (hours: number): string =>
      new Date(Date.now() - hours * 3_600_000).toISOString().slice(0, 19);
    const task = (jeditaskid: number, hours: number) => ({
      jeditaskid,
      taskname: `group.EIC.${jeditaskid}`,
      status: "exhausted",
      username: "ana",
      modificationtime: hoursAgo(hours),
    });
    const items = [task(2, 30), task(1, 2)];
    server = await startServer((_, response, url) =>
      url.pathname === "/prod/api/panda/tasks/" && url.searchParams.get("status") === "exhausted"
        ? json(response, { items, has_more: false, next_before_id: null })
        : json(response, { error: "no such task" }, 404),
    );
    mkdirSync(join(site, "alarms"));
    writeFileSync(join(site, "alarms", file), source);
    writeFileSync(
      join(site, "config.toml"),
      `[engine]\nbase_url = "${server.url}/prod"\nalarms_dir = "alarms"\n[email]\nprovider = "file"\n`,
    );
  });

  afterAll(async () => {
    await server.close();
    rmSync(site, { recursive: true, force: true });
  });

  test("is the shipped alarm, under another name", () => {
    expect(source).toBe(readFileSync(join(ROOT, "alarms", `panda_${file}`), "utf8"));
  });

  test("its test passes as pasted, and fails where the alarm detects nothing", async () => {
    const folder = mkdtempSync(join(tmpdir(), "swf-alarms-readme-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    mkdirSync(join(folder, "alarms"));
    mkdirSync(join(folder, "node_modules"));
    symlinkSync(ROOT, join(folder, "node_modules", "swf-alarms"));
    writeFileSync(join(folder, "alarms", testFile), testSource);
    const [command = "", ...args] = /`(node --test [^`]*)`/.exec(README)?.[1]?.split(" ") ?? [];
    expect([command, ...args]).toEqual(["node", "--test", `alarms/${testFile}`]);
    const runIt = async (module: string) => {
      writeFileSync(join(folder, "alarms", file), module);
      const options = { cwd: folder, env: cleanEnvironment() };
      return await promisify(execFile)(process.execPath, args, options);
    };
    expect((await runIt(source)).stdout).toMatch(/^[#ℹ] pass 1$/m);
    await expect(runIt(source.replace("yield", "void"))).rejects.toMatchObject({ code: 1 });
  });

  test("is not configured until max_hours is set", async () => {
    const { stdout } = await runEngine(["alarm", "list"], { cwd: site });
    expect(stdout).toContain("not configured: parameter max_hours has no value");
  });

  test("detects tasks without movement, as pasted", async () => {
    const name = file.replace(/\.ts$/, "");
    const args = ["alarm", "try", name, "--param", "max_hours=24", "--json"];
    const { code, stdout, stderr } = await runEngine(args, { cwd: site });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const outcome: unknown = JSON.parse(stdout);
    expect(outcome).toMatchObject({
      outcome: "complete",
      detections: [
        {
          key: "task:2",
          subject: "task 2 (exhausted) has not changed for 30 h: group.EIC.2",
        },
      ],
    });
  });

  test(
    "the commands below it work, in their order",
    async () => {
      const after = README.slice(README.indexOf(source) + source.length);
      const block = /```bash\n(.*?)```/su.exec(after)?.[1] ?? "";
      const commands = block.split("\n").flatMap((line) => {
        const words = line.replace(/#.*/, "").trim();
        return words === "" ? [] : [words.replace(/^bin\/swf-alarms /, "").split(/\s+/)];
      });
      expect(commands.length).toBeGreaterThan(4);
      for (const words of commands) {
        const result = await runEngine(words, { cwd: site });
        expect({ words, ...result }).toMatchObject({ code: 0, stderr: "" });
      }
      expect(
        await runEngine(["alarm", "set", "task_without_movement", "--param", "max_hours=24"], {
          cwd: site,
        }),
      ).toMatchObject({ code: 0 });
      expect(await runEngine(["run"], { cwd: site })).toEqual({ code: 0, stdout: "", stderr: "" });
      const [mail = ""] = readdirSync(join(site, "outbox"));
      const text = readFileSync(join(site, "outbox", mail), "utf8");
      expect(text).toContain("To: ana@example.org, ben@example.org");
      expect(text).toContain("[alarm_task_without_movement] 1 detection(s), 1 new, 0 continuing");
    },
    SLOW,
  );

  test("has the right types, with the compiler settings that docs/alarms.md gives", async () => {
    writeFileSync(join(site, "tsconfig.json"), AUTHOR_SETTINGS);
    await checkTypes(site);
  });
});

describe("links", () => {
  const pages = [
    "README.md",
    "CHANGELOG.md",
    ...readdirSync(join(ROOT, "docs")).map((name) => `docs/${name}`),
  ];

  test.each(pages.filter((page) => page.endsWith(".md")))("%s leads nowhere in vain", (page) => {
    const text = readFileSync(join(ROOT, page), "utf8").replace(/```.*?```/gsu, "");
    const broken = [...text.matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, link = ""]) => link)
      .filter((link) => !/^https?:/.test(link) && !resolves(page, link));
    expect(broken).toEqual([]);
  });
});

function resolves(page: string, link: string): boolean {
  const [path = "", anchor] = link.split("#");
  const target = path === "" ? join(ROOT, page) : resolve(ROOT, dirname(page), path);
  if (!existsSync(target)) return false;
  return anchor === undefined || anchors(readFileSync(target, "utf8")).has(anchor);
}

/** Headings as the anchors that GitHub makes of them. */
function anchors(markdown: string): ReadonlySet<string> {
  const headings = markdown.matchAll(/^#+ (.*)$/gm);
  return new Set(
    [...headings].map(([, heading = ""]) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, "")
        .replaceAll(" ", "-"),
    ),
  );
}
