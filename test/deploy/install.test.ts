import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cleanEnvironment, copyCheckout, run } from "./checkout_copy.ts";

const MINUTES = 60_000;
const ROOT = fileURLToPath(new URL("../..", import.meta.url));

describe("deploy/install.sh in a fresh checkout", () => {
  let temporary: string;
  let checkout: string;
  let first: string;

  beforeAll(async () => {
    temporary = realpathSync(mkdtempSync(join(tmpdir(), "swf-alarms-install-")));
    // The worst name that a folder may have for a crontab line.
    checkout = join(temporary, "it's 100% new");
    mkdirSync(checkout);
    await copyCheckout(checkout);
    first = await install();
  }, 5 * MINUTES);

  afterAll(() => rmSync(temporary, { recursive: true, force: true }));

  /** From another working folder, as people do. */
  async function install(): Promise<string> {
    const script = join(checkout, "deploy", "install.sh");
    const { stdout } = await run("bash", [script], { cwd: temporary, env: cleanEnvironment() });
    return stdout;
  }

  const config = (): string => join(checkout, "config.toml");

  test("makes a configuration that only its owner can read", () => {
    expect(first).toContain("config.toml from config.toml.example");
    expect(readFileSync(config(), "utf8")).toBe(
      readFileSync(join(checkout, "config.toml.example"), "utf8"),
    );
    expect(statSync(config()).mode & 0o777).toBe(0o600);
  });

  test("shows that the shipped alarms wait to be configured", () => {
    expect(first).toContain("not configured: [engine] base_url is not set");
    expect(first).toContain("\nInstalled. What is left to do:");
  });

  test("prints a crontab line that is silent as it stands, run as cron runs it", async () => {
    const line = /^\*\/5 \* \* \* \* (.*)$/m.exec(first)?.[1] ?? "";
    // Cron turns \% into %, and a bare % would end the command.
    expect(line.replaceAll("\\%", "")).not.toContain("%");
    const command = line.replaceAll("\\%", "%");
    const { stdout, stderr } = await run("/bin/sh", ["-c", command], {
      cwd: "/",
      env: { HOME: temporary, PATH: "/usr/bin:/bin" },
    });
    expect({ stdout, stderr }).toEqual({ stdout: "", stderr: "" });
  });

  test("installs what runs, and nothing else", async () => {
    const { stdout } = await run("npm", ["ls", "--omit=dev", "--all", "--parseable"], {
      cwd: join(checkout, "engine", "current"),
      env: cleanEnvironment(),
    });
    const names = stdout.split("\n").map((path) => path.replace(/^.*\/node_modules\//, ""));
    expect(names).toEqual(expect.arrayContaining(["commander", "pg", "smol-toml", "undici"]));
    expect(names.filter((name) => /^(typescript|vitest|rolldown|@types)/.test(name))).toEqual([]);
  });

  test("run again, it leaves the engine and an edited configuration alone", async () => {
    appendFileSync(config(), "\n# edited by hand\n");
    const before = readFileSync(config(), "utf8");
    const second = await install();
    expect(second).toContain("The installed engine is up to date");
    expect(second).toContain("config.toml as it is.");
    expect(readFileSync(config(), "utf8")).toBe(before);
  });

  /** The alarms that a command starts with, by name. */
  async function listed(...command: readonly string[]): Promise<string> {
    const [file = "", ...args] = command;
    return (await run(file, [...args, "alarm", "list", "--config", config()], { cwd: "/" })).stdout;
  }

  test("a module that the compiler refuses runs, and does not stop an update", async () => {
    mkdirSync(join(checkout, "alarms"), { recursive: true });
    writeFileSync(
      join(checkout, "alarms", "untyped.ts"),
      'export const SOURCES = [];\nexport async function* detect(client) {\n  const a: number = "no number";\n  for (const h of [a]) yield { dedupeKey: h };\n}\n',
    );
    writeFileSync(join(checkout, "alarms", "broken.ts"), "export const (;");
    const before = readlinkSync(join(checkout, "engine", "current"));
    appendFileSync(join(checkout, "src", "index.ts"), "\nexport const added = true;\n");
    const third = await install();
    expect(third).toContain("Installed ");
    const after = readlinkSync(join(checkout, "engine", "current"));
    expect(after).not.toBe(before);
    // A tick that was at work goes on with the former version.
    expect(readdirSync(join(checkout, "engine")).sort()).toEqual([before, after, "current"].sort());
    for (const installed of [
      [join(checkout, "bin", "swf-alarms")],
      // What crontab lines and units may name.
      [process.execPath, join(checkout, "dist", "bin", "swf-alarms.js")],
    ])
      expect(await listed(...installed)).toMatch(/^untyped +off +0 +- +ready$/m);
    const tick = [join(checkout, "dist", "bin", "swf-alarms-run.js"), "--config", config()];
    await expect(run(process.execPath, tick)).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^swf-alarms: broken: [^\n]*broken\.ts:1:14[^\n]*\n$/),
    });
    const packed = readdirSync(join(checkout, "engine", "current", "alarms"));
    expect(packed.filter((file) => /untyped|broken/.test(file))).toEqual([]);
    rmSync(join(checkout, "alarms", "broken.ts"));
  });

  test("crontab lines that name dist/bin start the installed engine, also after another build", async () => {
    const source = join(checkout, "src", "cli", "commands.ts");
    const whole = readFileSync(source, "utf8");
    writeFileSync(
      source,
      whole.replace('"list the events that are firing"', '"only in the checkout"'),
    );
    await run("npm", ["run", "--silent", "build"], { cwd: checkout, env: cleanEnvironment() });
    writeFileSync(source, whole);
    const help = async (file: string) => (await run(file, ["event", "--help"])).stdout;
    expect(await help(join(checkout, "dist", "program", "swf-alarms.js"))).toContain("only in the");
    expect(await help(join(checkout, "dist", "bin", "swf-alarms.js"))).toContain(
      "events that are firing",
    );
  });

  test("an engine of which something is missing is installed again", async () => {
    const package_ = join(checkout, "engine", "current", "node_modules", "pg");
    rmSync(package_, { recursive: true });
    expect(await install()).toContain("Installed ");
    expect(existsSync(package_)).toBe(true);
  });

  test("two at once: the second one says so and touches nothing", async () => {
    mkdirSync(join(checkout, "dist.lock"));
    await expect(install()).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining("another installation from this checkout is running"),
    });
    rmSync(join(checkout, "dist.lock"), { recursive: true });
    expect(await listed(join(checkout, "bin", "swf-alarms"))).toContain("untyped");
  });

  test("modules of the checkout are found by a configuration elsewhere, too", async () => {
    const elsewhere = join(temporary, "etc", "config.toml");
    mkdirSync(dirname(elsewhere));
    writeFileSync(elsewhere, `[db]\npath = ${JSON.stringify(join(temporary, "etc", "state"))}\n`);
    const command = [join(checkout, "dist", "bin", "swf-alarms.js"), "alarm", "list"];
    const { stdout } = await run(process.execPath, [...command, "--config", elsewhere]);
    expect(stdout).toMatch(/^untyped /m);
  });

  test.each([
    ["an option", ["--help"]],
    ["two folders", ["one", "two"]],
  ])("%s is refused", async (_, args) => {
    const script = join(checkout, "deploy", "install.sh");
    const attempt = run("bash", [script, ...args], { cwd: temporary, env: cleanEnvironment() });
    await expect(attempt).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/usage: deploy\/install\.sh \[FOLDER\]/),
    });
    expect(readdirSync(temporary)).not.toContain(args[0]);
  });

  test("a build that fails leaves the installed engine as it was", async () => {
    const source = join(checkout, "src", "index.ts");
    const whole = readFileSync(source, "utf8");
    const before = readlinkSync(join(checkout, "engine", "current"));
    writeFileSync(source, `${whole}\nexport const wrong: number = "";\n`);
    await expect(install()).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        /src\/index\.ts\([\s\S]*\ninstall: [^\n]*npm pack[^\n]* The installed engine[^\n]* unchanged\.\n$/,
      ),
    });
    writeFileSync(source, whole);
    expect(existsSync(join(checkout, "dist.new"))).toBe(false);
    expect(readlinkSync(join(checkout, "engine", "current"))).toBe(before);
    expect(await listed(join(checkout, "bin", "swf-alarms"))).toContain("untyped");
    expect(await listed(join(checkout, "dist", "bin", "swf-alarms.js"))).toContain("untyped");
  });

  test("installs all the same where the configuration does not work yet, and says what is wrong", async () => {
    const before = readFileSync(config(), "utf8");
    appendFileSync(config(), "\n[emial]\n");
    const script = join(checkout, "deploy", "install.sh");
    const { stdout, stderr } = await run("bash", [script], { env: cleanEnvironment() });
    expect(stderr).toContain("emial: unknown key");
    expect(stdout).toContain("no tick can run yet");
    expect(readFileSync(config(), "utf8")).toBe(`${before}\n[emial]\n`);
  });

  test("installs beside a config.toml elsewhere", async () => {
    const script = join(checkout, "deploy", "install.sh");
    const { stdout } = await run("bash", [script, "site"], {
      cwd: temporary,
      env: cleanEnvironment(),
    });
    const site = join(temporary, "site");
    expect(stdout).toContain(`Made ${join(site, "config.toml")}`);
    expect(readdirSync(site).sort()).toEqual(["bin", "config.toml", "engine", "state"]);
    const command = join(site, "bin", "swf-alarms");
    await run(command, ["run", "--config", join(site, "config.toml")]);
    // A link to the version would lead nowhere after some updates.
    await run(command, ["alarm", "new", "mine", "--config", join(site, "config.toml")]);
    expect(readlinkSync(join(site, "node_modules", "swf-alarms"))).toBe("../engine/current");
    const args = ["--test", join(site, "alarms", "mine.test.mjs")];
    const tests = await run(process.execPath, args, { cwd: "/", env: cleanEnvironment() });
    expect(tests.stdout).toMatch(/^[#ℹ] pass 2$/m);
  });
});

test("the script does nothing that only root may", () => {
  const script = join(ROOT, "deploy", "install.sh");
  const code = readFileSync(script, "utf8").replaceAll(/^\s*#.*$/gm, "");
  expect(code).not.toMatch(
    /\b(sudo|su|doas|pkexec|chown|chgrp|setcap|useradd|systemctl|install -[a-z]*o)\b/,
  );
  // Everything that it writes lies in the checkout.
  const targets = [
    ...code.matchAll(/(?:(?<!=)>>?|\bcp \S+|\bmkdir(?: -p)?)\s*"?([^\s"&|)]+)/g),
  ].map(([, to]) => to);
  const outside = targets.filter((to) => to?.startsWith("/"));
  expect([...new Set(outside)]).toEqual(["/dev/null"]);
});

describe("a Node that is too old", () => {
  let temporary: string;
  const said =
    /^swf-alarms: Node 18\.20\.4 at \S+ is too old; swf-alarms needs Node 20\.19 or later[^\n]*\n$/;

  beforeAll(async () => {
    temporary = mkdtempSync(join(tmpdir(), "swf-alarms-old-node-"));
    await copyCheckout(temporary);
    mkdirSync(join(temporary, "old"));
    const claim = join(temporary, "old", "claim.cjs");
    writeFileSync(
      claim,
      'Object.defineProperty(process.versions, "node", { value: "18.20.4" });\ndelete String.prototype.toWellFormed;\n',
    );
    const node = `#!/bin/sh\nexec '${process.execPath}' -r '${claim}' "$@"\n`;
    writeFileSync(join(temporary, "old", "node"), node, { mode: 0o755 });
  });

  afterAll(() => rmSync(temporary, { recursive: true, force: true }));

  test.each([
    ["deploy/install.sh", ["bash", "deploy/install.sh"]],
    ["npm start", ["npm", "start", "--silent"]],
    ["the command", ["node", join(ROOT, "dist", "bin", "swf-alarms.js"), "status"]],
    ["the Python engine's command", ["node", join(ROOT, "dist", "bin", "swf-alarms-run.js")]],
  ])("is named in one line by %s, with exit code 2", async (_, [file = "", ...args]) => {
    const env = { ...cleanEnvironment(), PATH: `${join(temporary, "old")}:${process.env.PATH}` };
    await expect(run(file, args, { cwd: temporary, env })).rejects.toMatchObject({
      code: 2,
      stdout: "",
      stderr: expect.stringMatching(said),
    });
  });

  test("is one that package.json does not name", () => {
    const { engines } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
    const check = readFileSync(join(ROOT, "build", "check_node.cjs"), "utf8");
    expect(check).toContain(`Node ${engines.node.replace(">=", "")} or later`);
  });
});
