import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cleanEnvironment, copyCheckout, run } from "./checkout_copy.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const MODULES = join(ROOT, "node_modules");
const MINUTES = 60_000;

const ALARM = `
import { type AlarmClient, FetchError, parseUtc } from "swf-alarms";
import { numberOf } from "swf-alarms/lib/fields";

export const SOURCES = [];

export function* detect(client: AlarmClient) {
  if (!(new FetchError({ kind: "status", reason: "x" }) instanceof Error)) throw new Error("FetchError is no error");
  const began = numberOf(parseUtc("2026-01-01T00:00:00"));
  yield { dedupeKey: "clock", subject: \`2026 began at \${began}\` };
}
`;

describe("the package that npm pack makes", () => {
  let temporary: string;
  let files: string[];
  const prefix = (): string => join(temporary, "prefix");
  const config = (): string => join(temporary, "site", "config.toml");
  const installedRoot = (): string => join(prefix(), "lib", "node_modules", "swf-alarms");

  beforeAll(async () => {
    temporary = mkdtempSync(join(tmpdir(), "swf-alarms-package-"));
    // Packing builds, which must not pull dist/ away from under other tests.
    const checkout = join(temporary, "checkout");
    mkdirSync(checkout);
    await copyCheckout(checkout);
    writeFileSync(join(checkout, "alarms", "mine.ts"), ALARM);
    writeFileSync(join(checkout, "alarms", "lib", "my_helper.ts"), "export const a: number = '';");
    symlinkSync(MODULES, join(checkout, "node_modules"));
    const npm = async (...args: string[]): Promise<string> =>
      (await run("npm", args, { cwd: checkout, env: cleanEnvironment() })).stdout;
    await npm("pack", "--pack-destination", temporary);
    const tarball = readdirSync(temporary).find((file) => file.endsWith(".tgz")) ?? "";
    const { stdout } = await run("tar", ["tzf", join(temporary, tarball)]);
    files = stdout
      .split("\n")
      .filter((file) => file !== "" && !file.endsWith("/"))
      .map((file) => file.replace(/^package\//, ""));
    const install = ["install", "--global", "--prefer-offline", "--no-audit", "--no-fund"];
    await npm(...install, "--prefix", prefix(), join(temporary, tarball));

    mkdirSync(join(temporary, "site", "alarms"), { recursive: true });
    writeFileSync(join(temporary, "site", "alarms", "clock.ts"), ALARM);
    writeFileSync(config(), "");
  }, 5 * MINUTES);

  afterAll(() => rmSync(temporary, { recursive: true, force: true }));

  /** The installed command with an environment as bare as cron's. */
  async function installed(bin: string, ...args: string[]) {
    const path = join(prefix(), "bin", bin);
    const env = { HOME: temporary, PATH: process.env.PATH };
    return await run(path, args, { cwd: temporary, env });
  }

  test("holds what its users need and nothing else", () => {
    const top = [...new Set(files.map((file) => file.split("/")[0]))].sort();
    expect(top).toEqual(
      [
        "CHANGELOG.md",
        "LICENSE",
        "README.md",
        "SECURITY.md",
        "alarms",
        "config.toml.example",
        "deploy",
        "docs",
        "dist",
        "migrations",
        "package.json",
      ].sort(),
    );
    expect(files.filter((file) => /\.test\.|^dist\/.*(?<!\.d)\.ts$/.test(file))).toEqual([]);
    expect(files).toEqual(
      expect.arrayContaining([
        "dist/index.d.ts",
        "dist/testing.d.ts",
        "dist/chunks/main.js.map",
        "deploy/install.sh",
      ]),
    );
  });

  test("holds the shipped alarms, and none that somebody added to the folder", async () => {
    const tracked = (await run("git", ["ls-files", "alarms"], { cwd: ROOT })).stdout;
    const shipped = files.filter((file) => file.startsWith("alarms/"));
    expect(shipped.sort()).toEqual(tracked.trim().split("\n").sort());
  });

  test("copies no package: what runs is loaded from node_modules", async () => {
    const built = files.filter((file) => file.startsWith("dist/") && /\.m?js\.map$/.test(file));
    const sources = built.flatMap((file) => {
      const map: unknown = JSON.parse(readFileSync(join(installedRoot(), file), "utf8"));
      const listed: unknown = Reflect.get(Object(map), "sources");
      return Array.isArray(listed) ? listed.map(String) : [];
    });
    expect(sources.length).toBeGreaterThan(100);
    expect(sources.filter((source) => !/^(\.\.\/)+(src|build)\//.test(source))).toEqual([]);
  });

  test("tells its version", async () => {
    expect((await installed("swf-alarms", "--version")).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test("runs a module beside the configuration that imports helpers and the library, and says nothing", async () => {
    const { stdout, stderr } = await installed("swf-alarms", "run", "--config", config());
    expect({ stdout, stderr }).toEqual({ stdout: "", stderr: "" });
    const events = await installed("swf-alarms", "event", "list", "--json", "--config", config());
    expect(JSON.parse(events.stdout)).toMatchObject({
      events: [{ alarm: "clock", key: "clock", subject: "2026 began at 1767225600" }],
    });
  });

  test("takes the crontab line of the Python engine", async () => {
    const line = ["--config", config(), "--dry-run", "-v"];
    const { stdout, stderr } = await installed("swf-alarms-run", ...line);
    expect(stdout).toContain("clock: complete: 1 detected");
    expect(stderr).toBe("");
  });

  test("finds its shipped alarms beside the site's own", async () => {
    const list = ["alarm", "list", "--config", config(), "--json"];
    const { stdout } = await installed("swf-alarms", ...list);
    const { alarms } = JSON.parse(stdout);
    expect(alarms).toMatchObject([
      { alarm: "clock", module: join(temporary, "site", "alarms", "clock.ts") },
      { alarm: "engine" },
      { alarm: "enrgdaq_healthcheck" },
      { alarm: "enrgdaq_supervisor" },
      { alarm: "gracedb_alert_flow" },
      { alarm: "gracedb_awaiting_decision" },
      { alarm: "gracedb_event_rate" },
      { alarm: "gracedb_followup" },
      { alarm: "gracedb_heartbeat" },
      { alarm: "gracedb_label_consistency" },
      { alarm: "host_resources" },
      { alarm: "http_endpoints" },
      { alarm: "panda_failure_rate_eic_all" },
      { alarm: "panda_failure_rate_owner" },
      { alarm: "panda_task_without_movement" },
      { alarm: "supervisord_events" },
      { alarm: "supervisord_processes" },
    ]);
  });

  test("writes an alarm whose test finds the package, which runs it", async () => {
    const { stdout } = await installed("swf-alarms", "alarm", "new", "mine", "--config", config());
    const site = join(temporary, "site");
    expect(stdout).toContain(`Linked ${join(site, "node_modules", "swf-alarms")} to `);
    const args = ["--test", join(site, "alarms", "mine.test.mjs")];
    const tests = await run(process.execPath, args, { cwd: "/", env: cleanEnvironment() });
    expect(tests.stdout).toMatch(/^[#ℹ] pass 2$/m);
    rmSync(join(site, "alarms", "mine.ts"));
  });

  test("its install script says that there is nothing to build", async () => {
    const script = join(installedRoot(), "deploy", "install.sh");
    await expect(run("bash", [script])).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining("is an installed package, which needs no build"),
    });
  });
});
