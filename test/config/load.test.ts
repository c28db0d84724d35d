import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { discoverModules } from "../../src/alarm/discover.ts";
import { channelFaults } from "../../src/channel/registry.ts";
import type { Environment } from "../../src/config/config.ts";
import { ConfigError, findConfig, loadConfig, SHIPPED_ALARMS } from "../../src/config/load.ts";
import { readSources, sourceFaults } from "../../src/source/registry.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "swf-alarms-config-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, text = ""): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

function load(path: string, env: Environment) {
  return loadConfig(path, env, { channelFaults, sourceFaults });
}

/** The ConfigError that the call throws; another error, or none, fails the test. */
function configError(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    if (error instanceof ConfigError) return error.message;
  }
  throw new Error("no ConfigError was thrown");
}

describe("the configuration is looked for", () => {
  test("at --config, then at $SWF_ALARMS_CONFIG, then in the working folder", () => {
    const option = write("option.toml");
    const env = { SWF_ALARMS_CONFIG: write("env.toml") };
    const here = write("config.toml");
    expect(findConfig(option, env, folder)).toBe(option);
    expect(findConfig(undefined, env, folder)).toBe(env.SWF_ALARMS_CONFIG);
    expect(findConfig(undefined, {}, folder)).toBe(here);
  });

  test("an empty $SWF_ALARMS_CONFIG is not set", () => {
    const here = write("config.toml");
    expect(findConfig(undefined, { SWF_ALARMS_CONFIG: "" }, folder)).toBe(here);
  });

  test("relative names start from the working folder", () => {
    mkdirSync(join(folder, "etc"));
    const path = write("etc/site.toml");
    expect(findConfig("etc/site.toml", {}, folder)).toBe(path);
    expect(findConfig(undefined, { SWF_ALARMS_CONFIG: "etc/site.toml" }, folder)).toBe(path);
  });

  const rows: readonly [string, string | undefined, string | undefined, string, string][] = [
    ["a --config that is not there", "gone.toml", undefined, "gone.toml", "(from --config)"],
    ["not even where others are", "gone.toml", "env.toml", "gone.toml", "(from --config)"],
    [
      "a variable that leads nowhere",
      undefined,
      "gone.toml",
      "gone.toml",
      "(from $SWF_ALARMS_CONFIG)",
    ],
    ["nothing at all", undefined, undefined, "config.toml", "(from the default)"],
  ];
  test.each(rows)(
    "%s is told with where it was looked for and what to do",
    (_, option, named, file, origin) => {
      write("env.toml");
      if (option !== undefined) write("config.toml");
      const message = configError(() => findConfig(option, { SWF_ALARMS_CONFIG: named }, folder));
      expect(message).toContain(`cannot find the configuration ${join(folder, file)} ${origin}`);
      expect(message).toMatch(/Copy \/.*config\.toml\.example to config\.toml/);
    },
  );
});

describe("the configuration is read", () => {
  test("with paths from its own folder, the shipped alarms, which are there, and a folder for the site's own", () => {
    const config = load(write("config.toml", '[db]\npath = "pg"'), {});
    expect(config.db).toEqual({ kind: "embedded", path: join(folder, "pg") });
    expect(config.engine.alarmFolders).toEqual([
      { path: SHIPPED_ALARMS },
      { path: join(folder, "alarms"), mayBeMissing: true },
    ]);
    expect(discoverModules(SHIPPED_ALARMS).modules.length).toBeGreaterThan(0);
  });

  test("with a dotenv file beside it, and a token from the environment", () => {
    write(".env", "\uFEFFDB_NAME=n\nDB_HOST=h\nDB_USER=u\n");
    const text = '[db]\nenv_path = ".env"\n[sources.a]\nbase_url = "http://h"\ntoken_env = "T"';
    const config = load(write("config.toml", text), { T: "t0ken" });
    expect(config.db).toMatchObject({ kind: "server", login: { database: "n" } });
    expect(readSources(config.sources).get("a")?.secrets).toEqual(["t0ken"]);
  });

  test("the example that is shipped can be used as it stands", () => {
    const example = new URL("../../config.toml.example", import.meta.url);
    const config = load(write("config.toml", readFileSync(example, "utf8")), {});
    expect(config.channels.tables).toEqual(new Map());
    expect(config.sources.tables).toEqual(new Map());
  });

  test("each line that the example offers can be used", () => {
    const example = readFileSync(new URL("../../config.toml.example", import.meta.url), "utf8");
    const offered = example.replaceAll(/^# (?=\w+ = |\[)/gm, "");
    // Of what excludes each other one is taken: the last [email], and the embedded database.
    const tables = offered.split(/^(?=\[)/m).map((table) => [table.split("\n")[0], table] as const);
    const used = [...new Map(tables).values()]
      .join("")
      .replaceAll(/^(dsn|env_path|schema) = .*$/gm, "");
    const config = load(write("config.toml", used), {
      GRACEDB_TOKEN: "t0ken",
      INVENTORY_LOGIN: "ann:pa55word",
      SUPERVISORD_LOGIN: "ann:pa55word",
    });
    expect([...config.sources.tables.keys()]).toEqual([
      "main",
      "gracedb",
      "inventory",
      "supervisord",
      "supervisord_events",
      "enrgdaq",
    ]);
    expect(config.engine.logPath).toBeDefined();
    expect(config.channels.tables.get("email")?.settings.type).toBe("ses");
    expect(readSources(config.sources).get("gracedb")?.secrets).toContain("t0ken");
  });
});

describe("what cannot be used is one ConfigError", () => {
  test("a folder in the file's place", () => {
    expect(configError(() => load(folder, {}))).toMatch(
      /^cannot read .* is not a regular file.*; check the file and that the engine's user may read it$/,
    );
  });

  test("a single fault", () => {
    const path = write("config.toml", "[engine]\nrequest_timeout = 0");
    expect(configError(() => load(path, {}))).toBe(
      `1 fault in the configuration ${path}:\n  engine.request_timeout: must be a number of seconds from 0.1 to 3600, such as 20; found 0`,
    );
  });

  test("several, one a line", () => {
    const path = write("config.toml", "[engine]\nrequest_timeout = 0\nlog_path = 1\n[db]\ndsn = 1");
    const [head, ...lines] = configError(() => load(path, {})).split("\n");
    expect(head).toBe(`3 faults in the configuration ${path}:`);
    expect(lines).toEqual([
      expect.stringMatching(/^ {2}engine\.request_timeout: /),
      expect.stringMatching(/^ {2}engine\.log_path: /),
      expect.stringMatching(/^ {2}db\.dsn: /),
    ]);
  });

  const PEM = "-----BEGIN CERTIFICATE-----\n";
  const LATIN1 = Buffer.from("# caf\xe9\n", "latin1");
  const odd: readonly (readonly [string, () => void, RegExp])[] = [
    [
      "a folder as authority file",
      () => mkdirSync(join(folder, ".postgresql/root.crt")),
      /regular/,
    ],
    [
      "an authority file that is a loop of links",
      () => symlinkSync("root.crt", join(folder, ".postgresql/root.crt")),
      /root\.crt: ELOOP/,
    ],
    [
      "an empty authority file",
      () => write(".postgresql/root.crt"),
      /root\.crt: it is not in PEM form/,
    ],
    [
      "a certificate alone",
      () => write(".postgresql/postgresql.crt", PEM),
      /sslcert needs its key/,
    ],
    [
      "a service file that is not UTF-8",
      () => writeFileSync(join(folder, ".pg_service.conf"), LATIN1),
      /^db: service: cannot read \S+\.pg_service\.conf: line 1, column 6 is not UTF-8/,
    ],
  ];
  test.each(odd)("%s", (_, make, says) => {
    mkdirSync(join(folder, ".postgresql"));
    make();
    const service = existsSync(join(folder, ".pg_service.conf")) ? "&service=site" : "";
    const dsn = `postgresql://u@h/n?sslmode=require${service}`;
    const path = write("config.toml", `[db]\ndsn = "${dsn}"\n[engine]\nrequest_timeout = 0`);
    const [head = "", other, line = "", ...more] = configError(() =>
      load(path, { HOME: folder }),
    ).split("\n  ");
    expect(head).toMatch(/^2 faults in the configuration /);
    expect(other).toMatch(/^engine\.request_timeout: /);
    expect(line).toMatch(says);
    expect(more).toEqual([]);
  });

  test("but a comment in an authority file may have any encoding, and a socket needs none", () => {
    mkdirSync(join(folder, ".postgresql"));
    const root = join(folder, ".postgresql/root.crt");
    writeFileSync(root, Buffer.concat([LATIN1, Buffer.from(PEM)]));
    const dbOf = (dsn: string) =>
      load(write("config.toml", `[db]\ndsn = "${dsn}"`), { HOME: folder }).db;
    const ca = `# caf\xe9\n${PEM}`;
    const login = { tls: [{ ca, rejectUnauthorized: true }] };
    expect(dbOf("postgresql://u@h/n?sslmode=require")).toMatchObject({ login });
    writeFileSync(root, "");
    expect(dbOf("postgresql://u@%2Ftmp/n")).toMatchObject({ login: { tls: [false] } });
  });

  test("a file that is no TOML, with the place", () => {
    const path = write("config.toml", "[engine\n");
    expect(configError(() => load(path, {}))).toMatch(/:\n {2}line 1, column 8: /);
  });
});
