import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cleanEnvironment, copyCheckout, run } from "./checkout_copy.ts";

const MINUTES = 60_000;

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
    expect(first).toContain("Made config.toml");
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

  test("run again, it is quick and leaves an edited configuration alone", async () => {
    appendFileSync(config(), "\n# edited by hand\n");
    const before = readFileSync(config(), "utf8");
    const started = performance.now();
    const second = await install();
    expect(performance.now() - started).toBeLessThan(20_000);
    expect(second).toContain("The build is up to date.");
    expect(second).toContain("Kept config.toml as it is.");
    expect(readFileSync(config(), "utf8")).toBe(before);
  });

  test("builds again what has changed", async () => {
    appendFileSync(join(checkout, "src", "index.ts"), "\nexport const added = true;\n");
    const third = await install();
    expect(third).toContain("Built ");
    const built: unknown = await import(join(checkout, "dist", "index.js"));
    expect(built).toMatchObject({ added: true });
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
});

test("the script does nothing that only root may", () => {
  const script = fileURLToPath(new URL("../../deploy/install.sh", import.meta.url));
  const code = readFileSync(script, "utf8").replaceAll(/^\s*#.*$/gm, "");
  expect(code).not.toMatch(
    /\b(sudo|su|doas|pkexec|chown|chgrp|setcap|useradd|systemctl|install -[a-z]*o)\b/,
  );
  // Everything that it writes lies in the checkout.
  const targets = [...code.matchAll(/(?:>>?|\bcp \S+|\bmkdir(?: -p)?)\s*"?([^\s"&|)]+)/g)].map(
    ([, to]) => to,
  );
  const outside = targets.filter((to) => to?.startsWith("/"));
  expect([...new Set(outside)]).toEqual(["/dev/null"]);
});

test("an old Node is named, with what is needed", async () => {
  const temporary = mkdtempSync(join(tmpdir(), "swf-alarms-old-node-"));
  try {
    mkdirSync(join(temporary, "checkout", "src"), { recursive: true });
    await copyCheckout(join(temporary, "checkout"));
    const fake = join(temporary, "bin");
    mkdirSync(fake);
    // Answers the version test as Node 18 would.
    for (const [name, text] of [
      ["node", '#!/bin/sh\n[ "$1" = --version ] && echo v18.20.4 && exit 0\nexit 1\n'],
      ["npm", "#!/bin/sh\nexit 0\n"],
    ] as const)
      writeFileSync(join(fake, name), text, { mode: 0o755 });
    const script = join(temporary, "checkout", "deploy", "install.sh");
    const attempt = run("bash", [script], { env: { PATH: `${fake}:/usr/bin:/bin` } });
    await expect(attempt).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/node is v18\.20\.4 at .*swf-alarms needs 20\.19 or newer/),
    });
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
});
