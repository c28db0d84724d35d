import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Command } from "commander";
import { readAlarmFolders } from "../alarm/alarm_folders.ts";
import { suggestedName } from "../alarm/discover.ts";
import type { Config } from "../config/config.ts";
import { alarmName, ENGINE, isAlarmName } from "../core/event_key.ts";
import { ExpectedError } from "../core/expected_error.ts";
import { SILENT } from "../core/log.ts";
import { MAIN_SOURCE } from "../core/main_source.ts";
import { errorText, quote } from "../text/describe.ts";
import type { SetExit } from "./exit_code.ts";
import { newModule } from "./new_module.ts";
import { addJsonOption, type JsonOption, print } from "./output.ts";
import { linkPackage, type PackageLink } from "./package_link.ts";
import { addConfigOption, type ConfigOption, readConfig } from "./session.ts";

export function declare(command: Command, _setExit: SetExit): void {
  const withOptions = addConfigOption(
    command
      .argument("<name>", "name of the new alarm, such as my_alarm")
      .description(
        "Writes a module that works and its test into the last of the alarms folders, and links node_modules/swf-alarms beside that folder where tests need it. Overwrites nothing.",
      ),
  );
  addJsonOption(withOptions).action((name: string, options: ConfigOption & JsonOption) => {
    const { config } = readConfig(options);
    const written = writeAlarm(config, name);
    const { link } = written;
    const facts = { alarm: name, module: written.module, test: written.test };
    const linkFacts = link.kind === "made" ? { link: link.path, target: link.target } : {};
    print(options, { ...facts, link: null, target: null, ...linkFacts }, render(name, written));
  });
}

interface Written {
  /** Paths. */
  readonly module: string;
  readonly test: string;
  readonly link: PackageLink;
}

/** Writes the two files into the last of the alarms folders, which is the site's own. Throws ExpectedError. */
function writeAlarm(config: Config, name: string): Written {
  const folder = config.engine.alarmFolders.at(-1)?.path ?? "alarms";
  const fault = nameFault(config, name);
  if (fault !== undefined) throw new ExpectedError(fault);
  const module = join(folder, `${name}.ts`);
  const test = join(folder, `${name}.test.mjs`);
  const existing = [module, test].find((path) => existsSync(path));
  if (existing !== undefined)
    throw new ExpectedError(`${existing} exists already; use another name, or remove the file`);
  const { tables } = config.sources;
  const [source] = tables.has(MAIN_SOURCE) ? [] : tables.keys();
  const texts = newModule(name, source);
  try {
    // The engine refuses what other users can write, whatever the umask is.
    mkdirSync(folder, { recursive: true, mode: 0o755 });
    writeFileSync(module, texts.module, { flag: "wx", mode: 0o644 });
    writeFileSync(test, texts.test, { flag: "wx", mode: 0o644 });
  } catch (error) {
    throw new ExpectedError(
      `cannot write the alarm ${name}: ${errorText(error)}; let this user write ${folder}, or name another folder in [engine] alarms_dir`,
    );
  }
  return { module, test, link: linkPackage(folder) };
}

/** Why no new alarm can have this name. */
function nameFault(config: Config, name: string): string | undefined {
  const isFree = (each: string): boolean => findTaken(config, each) === undefined;
  if (!isAlarmName(name) || name === ENGINE || name !== alarmName(name)) {
    const nearest = suggestedName(alarmName(name));
    const guess = nearest === ENGINE || !isFree(nearest) ? "my_alarm" : nearest;
    return `an alarm cannot be named ${quote(name)}; use a lower-case identifier, such as ${guess}`;
  }
  const taken = findTaken(config, name);
  if (taken === undefined) return undefined;
  const free = [2, 3, 4, 5, 6, 7, 8, 9].map((n) => `${name}_${n}`.slice(-200)).find(isFree);
  return `there is an alarm ${quote(name)} already, in ${taken}; use another name${free === undefined ? "" : `, such as ${free}`}`;
}

/** The file of the alarm that has this name, or one that would end in the same row. */
function findTaken({ engine }: Config, name: string): string | undefined {
  const files = readAlarmFolders(engine, SILENT);
  return files.find((file) => alarmName(file.name) === name)?.path;
}

function render(name: string, { module, test, link }: Written): string[] {
  return [
    `Wrote ${module}`,
    `Wrote ${test}`,
    ...renderLink(link, dirname(module)),
    "",
    "What is left to do:",
    "",
    `  node --test ${test}`,
    "      runs its test, which passes as it is",
    `  bin/swf-alarms alarm try ${name}`,
    "      runs it against the real service; nothing is written",
    `  edit ${module}`,
    "      until it detects what you want; docs/alarms.md describes what it can use",
    `  bin/swf-alarms alarm set ${name} --recipients you@example.org --mail on`,
    "      the next tick runs it either way, with mail off until you turn it on",
  ];
}

function renderLink(link: PackageLink, folder: string): string[] {
  switch (link.kind) {
    case "not needed":
      return [];
    case "made":
      return [`Linked ${link.path} to ${link.target}, so that tests and editors find swf-alarms`];
    case "failed":
      return [`Tests in ${folder} do not find "swf-alarms/testing" yet: ${link.reason}`];
  }
}
