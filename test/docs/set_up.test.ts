import { execFile } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { docPage } from "../support/doc_examples.ts";
import { makeSite } from "../support/site.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const SHIPPED = join(ROOT, "alarms");

test("every command in docs/alarms.md that sets up a shipped alarm is accepted as it is written", {
  timeout: 120_000,
}, async () => {
  const page = docPage("alarms.md");
  const site = await makeSite({ alarmsDir: SHIPPED, mail: "none", more: tomlOf(page, "sources") });
  for (const [, name = "", text = ""] of page.matchAll(/```toml\n# (\w+\.toml)[^\n]*\n(.*?)```/gsu))
    if (name !== "config.toml") writeFileSync(join(site.folder, name), text);
  await site.command(["team", "set", "@daq", "daq@example.org"]);
  await site.command(["team", "set", "@shift", "shift@example.org"]);

  const commands = [
    ...page.matchAll(/bin\/(swf-alarms alarm set (\w+) --(?:[^'`\n]|'[^']*')*)/gu),
  ].flatMap(([, command = "", alarm = ""]) =>
    readdirSync(SHIPPED).includes(`${alarm}.ts`) ? [[alarm, command] as const] : [],
  );
  const engine = join(ROOT, "dist", "program", "swf-alarms.js");
  const header = `swf-alarms() { "${process.execPath}" "${engine}" "$@" --config "${site.config}"; }`;
  for (const [, command] of commands) {
    const script = `${header}\n${command}`;
    const ran = promisify(execFile)("bash", ["-c", script], { cwd: site.folder });
    await expect(ran, command).resolves.toMatchObject({ stderr: "" });
  }
  const alarms = new Set(commands.map(([alarm]) => alarm));
  expect(alarms.size).toBeGreaterThan(4);
  const { stdout } = await site.command(["alarm", "list"]);
  for (const alarm of alarms) expect(stdout).toMatch(new RegExp(`^${alarm} .* ready$`, "mu"));
});

test("config.toml.example has each source that a shipped alarm needs", () => {
  const example = readFileSync(join(ROOT, "config.toml.example"), "utf8");
  const files = readdirSync(SHIPPED).filter((name) => name.endsWith(".ts"));
  const needed = files.flatMap((name) => {
    const text = readFileSync(join(SHIPPED, name), "utf8");
    const [, list = ""] = /^export const SOURCES = \[(.*)\];$/mu.exec(text) ?? [];
    return [...list.matchAll(/"(\w+)"/gu)].map(([, source = ""]) => source);
  });
  expect(needed).not.toEqual([]);
  const missing = needed.filter((source) => !example.includes(`\n# [sources.${source}]\n`));
  expect(missing).toEqual([]);
});

/** The tables of this kind in the TOML of a page. */
function tomlOf(page: string, table: string): string {
  const blocks = [...page.matchAll(/```toml\n(.*?)```/gsu)].map(([, text = ""]) => text);
  return blocks.filter((text) => text.includes(`[${table}.`)).join("\n");
}
