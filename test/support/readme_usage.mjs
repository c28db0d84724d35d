/**
 * Writes the usage of every command into README.md, between the two usage comments, from its --help.
 * `--check` writes nothing and fails where the README is stale. Needs a build: `npm run docs` does both.
 */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const BIN = fileURLToPath(new URL("../../dist/program/", import.meta.url));
const ROOT = fileURLToPath(new URL("../../", import.meta.url));
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

/** The text between the usage comments of each page. @returns {{ [page: string]: string }} */
function renderUsage() {
  const commands = [
    ...collect("swf-alarms", [], ""),
    ...collect(
      "swf-alarms-run",
      [],
      "run one tick; takes the options of the Python engine's command",
    ),
  ].filter(({ isGroup }) => !isGroup);
  const rows = commands.map(({ words, summary }) => `| \`${words}\` | ${summary} |`);
  const texts = commands.map(({ text }) => ["```text", text, "```"].join("\n"));
  return {
    "README.md": ["| command | what it does |", "|---|---|", ...rows].join("\n"),
    "docs/commands.md": texts.join("\n\n"),
  };
}

const isCheck = process.argv.includes("--check");
for (const [page, usage] of Object.entries(renderUsage())) {
  const text = readFileSync(`${ROOT}${page}`, "utf8");
  if (!BLOCK.test(text)) throw new Error(`${page} has no usage comments to write between`);
  const fresh = text.replace(BLOCK, (_, open, close) => `${open}${usage}\n${close}`);
  if (!isCheck) writeFileSync(`${ROOT}${page}`, fresh);
  else if (fresh !== text) {
    process.stderr.write(`the usage in ${page} is stale; run: npm run docs\n`);
    process.exitCode = 1;
  }
}
