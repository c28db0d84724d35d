/**
 * Writes the usage of every command into README.md, between the two usage comments, from its --help.
 * `--check` writes nothing and fails where the README is stale. Needs a build: `npm run docs` does both.
 */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";

const BIN = fileURLToPath(new URL("../../dist/program/", import.meta.url));
const README = fileURLToPath(new URL("../../README.md", import.meta.url));
const BLOCK = /(<!-- usage -->\n).*?(<!-- \/usage -->)/su;

/** @param {string} bin @param {readonly string[]} command */
function help(bin, command) {
  const env = { PATH: process.env.PATH, NO_COLOR: "1" };
  const args = [`${BIN}${bin}.js`, ...command, "--help"];
  return execFileSync(process.execPath, args, { encoding: "utf8", env }).trimEnd();
}

/**
 * The commands that a help text lists: name and summary, which may go on in further lines.
 * @param {string} text
 */
function listedCommands(text) {
  const [, list = ""] = /\nCommands:\n((?: .*\n?)*)/u.exec(text) ?? [];
  /** @type {{ name: string, summary: string }[]} */
  const commands = [];
  for (const line of list.split("\n")) {
    const [, name, summary = ""] = /^ {2}(\S+)(?: \S+)*? {2,}(.*)$/u.exec(line) ?? [];
    if (name !== undefined) commands.push({ name, summary });
    else if (line.trim() !== "") commands[commands.length - 1].summary += ` ${line.trim()}`;
  }
  return commands.filter(({ name }) => name !== "help");
}

/**
 * Every command with its help, groups before what they hold.
 * @param {string} bin
 * @param {readonly string[]} command
 * @param {string} summary
 * @returns {{ words: string, summary: string, text: string, isGroup: boolean }[]}
 */
function collect(bin, command, summary) {
  const text = help(bin, command);
  const inside = listedCommands(text);
  const words = [bin, ...command].join(" ");
  const isGroup = inside.length > 0 && !/\n\nOptions:\n(?! {2}-[hV],)/u.test(text);
  return [
    { words, summary, text, isGroup },
    ...inside.flatMap((sub) => collect(bin, [...command, sub.name], sub.summary)),
  ];
}

/** The usage block: a table of all commands, and the full help in a collapsed section. */
export function renderUsage() {
  const commands = [
    ...collect("swf-alarms", [], ""),
    ...collect(
      "swf-alarms-run",
      [],
      "run one tick; takes the options of the Python engine's crontab lines",
    ),
  ].filter(({ isGroup }) => !isGroup);
  return [
    "| command | what it does |",
    "|---|---|",
    ...commands.map(({ words, summary }) => `| \`${words}\` | ${summary} |`),
    "",
    "<details>",
    "<summary>All options of every command</summary>",
    "",
    ...commands.flatMap(({ text }) => ["```text", text, "```", ""]),
    "</details>",
  ].join("\n");
}

/** @param {string} readme */
export function withUsage(readme) {
  if (!BLOCK.test(readme)) throw new Error("README.md has no usage comments to write between");
  return readme.replace(BLOCK, (_, open, close) => `${open}${renderUsage()}\n${close}`);
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const readme = readFileSync(README, "utf8");
  const fresh = withUsage(readme);
  if (!process.argv.includes("--check")) writeFileSync(README, fresh);
  else if (fresh !== readme) {
    process.stderr.write("the usage in README.md is stale; run: npm run docs\n");
    process.exitCode = 1;
  }
}
