import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { object } from "valibot";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Outgoing } from "../../src/channel/channel.ts";
import { type ConfiguredChannel, channelFaults, readChannels } from "../../src/channel/registry.ts";
import { parseTable } from "../../src/config/issue.ts";
import { loadConfig } from "../../src/config/load.ts";
import { readSecret, secretFile, secretVariable } from "../../src/config/secret.ts";
import { httpUrl } from "../../src/config/values.ts";
import { sourceFaults } from "../../src/source/registry.ts";
import { delivered, PATIENTLY } from "../support/mails.ts";
import { built, runScript } from "../support/script.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "swf-alarms-channels-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, text: string, mode = 0o600): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

const ENV = { HOOK: " https://hook.example/s3cret\n", EMPTY: "" };

/** The channels of a configuration with this text. */
function channelsOf(text: string): ReadonlyMap<string, ConfiguredChannel> {
  const path = write("config.toml", text);
  return readChannels(loadConfig(path, ENV, { channelFaults, sourceFaults }).channels);
}

function channelOf(text: string): ConfiguredChannel {
  const channel = channelsOf(`[channels.chat]\n${text}`).get("chat");
  if (channel === undefined) throw new Error("there is no channel chat");
  return channel;
}

const TYPES = 'must be one of "ses", .*"command".*"webhook"';
const COMMAND = "must be a list of a program's path and its arguments, such as";

describe("a fault of a channel is its own", () => {
  const rows: readonly [string, string, readonly RegExp[]][] = [
    ["no type", "", [new RegExp(`^channels\\.chat\\.type: missing; ${TYPES}$`)]],
    [
      "an unknown type, with the one that was probably meant",
      'type = "comand"\nurl = "x"',
      [new RegExp(`\\.type: ${TYPES}; found "comand" \\(did you mean command\\?\\)$`)],
    ],
    ["a type that is none", "type = 7", [new RegExp(`\\.type: ${TYPES}; found 7$`)]],
    ["a type that every object has", 'type = "constructor"', [/; found "constructor"$/]],
    [
      "unknown keys, with the ones that were probably meant",
      'type = "file"\ndri = "a"\ndefualt = true\ncolour = "red"',
      [
        /^channels\.chat\.dri: unknown key \(did you mean dir\?\)$/,
        /^channels\.chat\.defualt: unknown key \(did you mean default\?\)$/,
        /^channels\.chat\.colour: unknown key \(known: dir, from, type, default\)$/,
      ],
    ],
    [
      "a key of another type",
      'type = "file"\nregion = "us-east-1"',
      [/^channels\.chat\.region: belongs to type "ses", found with "file"; remove one$/],
    ],
    [
      "a default that is a text",
      'type = "file"\ndefault = "yes"',
      [/^channels\.chat\.default: must be true or false; found "yes"$/],
    ],
    ["no command", 'type = "command"', [new RegExp(`^channels.chat.command: missing; ${COMMAND}`)]],
    ...['"/bin/true -v"', "[]", "[1]", '["/bin/true", 1]', '["a\\u0000"]', '["$HOME/x"]'].map(
      (value): [string, string, readonly RegExp[]] => [
        `a command that is ${value}`,
        `type = "command"\ncommand = ${value}`,
        [new RegExp(`^channels.chat.command: ${COMMAND} .*; found `)],
      ],
    ),
    [
      "a time limit of nothing",
      'type = "command"\ncommand = ["/bin/true"]\ntimeout = 0',
      [/^channels\.chat\.timeout: must be a number of seconds from 0\.1 to 3600.*; found 0$/],
    ],
    [
      "a program that is not there, as PATH is not searched",
      'type = "command"\ncommand = ["true"]',
      [/^channels\.chat\.command: cannot find the program \/.*\/true; .*PATH is not searched\)$/],
    ],
    ["a folder", 'type = "command"\ncommand = ["."]', [/ is not a file; write the path of a prog/]],
    [
      "a program that may not be executed",
      'type = "command"\ncommand = ["config.toml"]',
      [/the engine's user cannot execute \/\S+; as the owner run: chmod \+x \/.*config\.toml$/],
    ],
  ];
  test.each(rows)("%s", async (_, text, expected) => {
    const channels = channelsOf(`[channels.chat]\n${text}\n[channels.files]\ntype = "file"`);
    const { opener, faults } = channels.get("chat") ?? {};
    expect(opener).toBeUndefined();
    expect(faults).toEqual(expected.map((fault) => expect.stringMatching(fault)));
    // The others work.
    const files = await channels.get("files")?.opener?.open(() => {});
    const { confirmed } = (await files?.deliver(OUTGOING, PATIENTLY)) ?? {};
    expect(confirmed).toEqual(OUTGOING.recipients);
  });
});

const OUTGOING: Outgoing = {
  id: "0b0e2f0c-0000-4000-8000-000000000001",
  alarm: "alarm_x",
  time: 1_795_232_707,
  recipients: ["a@host.example"],
  subject: "[alarm_x] 1 detection(s), 1 new, 0 continuing",
  text: "NEW (1):\n",
  html: "<p>NEW</p>",
  bundle: undefined,
};

describe("channels that are right", () => {
  test("files, with a sender of their own where none is set", async () => {
    const { type, isDefault, opener } = channelOf('type = "file"\ndir = "box"');
    expect({ type, isDefault, ...opener }).toMatchObject({
      type: "file",
      isDefault: false,
      target: undefined,
    });
    const channel = await opener?.open(() => {});
    await channel?.deliver(OUTGOING, PATIENTLY);
    const [mail = ""] = readdirSync(join(folder, "box"));
    expect(readFileSync(join(folder, "box", mail), "utf8")).toMatch(
      /^From: swf-alarms@localhost$/m,
    );
  });

  test("a command, whose target and file are known", async () => {
    mkdirSync(join(folder, "bin"));
    write("bin/page", '#!/bin/sh\ntest "$1" = "a b"\n', 0o700);
    const { isDefault, opener } = channelOf(
      'type = "command"\ncommand = ["bin/page", "a b"]\ndefault = true',
    );
    expect({ isDefault, ...opener }).toMatchObject({ isDefault: true, target: "page" });
    const channel = await opener?.open(() => {});
    const outgoing = { ...OUTGOING, recipients: ["page"] };
    expect(await channel?.deliver(outgoing, PATIENTLY)).toEqual(delivered(["page"], []));
  });
});

describe("a secret that a setting names", () => {
  const rows: readonly [string, { env?: string; file?: string }, RegExp | string | undefined][] = [
    ["neither", {}, undefined],
    ["a folder", { file: "." }, /is not a regular file/],
    ["a variable, without the line break at its end", { env: "HOOK" }, ENV.HOOK.trim()],
    ["a file with mode 600", { file: "secret" }, "from-a-file"],
    [
      "a variable and a file",
      { env: "HOOK", file: "secret" },
      /^a\.url_env and url_file: only one/,
    ],
    [
      "a variable that is missing",
      { env: "GONE" },
      /^a\.url_env: the environment variable GONE is not set; set it where the engine starts$/,
    ],
    ["one that is empty", { env: "EMPTY" }, /^a\.url_env: .* EMPTY is not set; /],
    ["one that every object has", { env: "constructor" }, /constructor is not set; /],
    ["a file that is missing", { file: "gone" }, /^a\.url_file: \/\S+\/gone does not exist$/],
    ["an empty file", { file: "blank" }, /^a\.url_file: \/\S+\/blank is empty$/],
    ["a file that all can read", { file: "open" }, /^a\.url_file: cannot read .* have mode 600; /],
    ["a folder", { file: "." }, /^a\.url_file: cannot read /],
  ];
  test.each(rows)("%s", (_, { env, file }, expected) => {
    write("secret", "from-a-file\n");
    write("blank", " \n");
    write("open", "s3cret", 0o644);
    const path = write("config.toml", "");
    const { around } = loadConfig(path, ENV, { channelFaults, sourceFaults }).channels;
    const faults: string[] = [];
    const found = readSecret("url", { env, file }, { path: ["a"], around, faults });
    if (expected instanceof RegExp) {
      expect(faults).toEqual([expect.stringMatching(expected)]);
      expect(faults.join()).not.toContain("s3cret");
      expect(found).toBeUndefined();
    } else expect({ found, faults }).toEqual({ found: expected, faults: [] });
  });
});

test("a wrong value that may hold a secret is not shown", () => {
  const faults: string[] = [];
  const schema = object({ url: httpUrl, url_env: secretVariable, url_file: secretFile });
  const table = { url: "s3cret", url_env: "my-s3cret", url_file: "https://h/s3cret" };
  expect(parseTable(schema, ["channels", "a"], table, faults)).toBeUndefined();
  expect(faults).toHaveLength(3);
  for (const fault of faults) expect(fault).toMatch(/^channels\.a\.url.*; the value is not shown$/);
});

test.each([
  ["file", { dir: "/nowhere" }, ""],
  ["command", { command: ["/bin/sh"] }, ""],
  ["ses", { from: "a@host.example" }, "nodemailer\n@aws-sdk/client-ses\n"],
])("type %s loads only its own libraries", async (type, settings, loaded) => {
  const tables = JSON.stringify([
    ["a", { path: ["channels", "a"], settings: { ...settings, type } }],
  ]);
  const { stdout, stderr } = await runScript(
    `import { createRequire } from "node:module";
     const { readChannels } = await import(${JSON.stringify(built("channel/registry.js"))});
     const around = { folder: "/", env: {} };
     const [channel] = readChannels({ tables: new Map(${tables}), around }).values();
     await channel.opener.open(() => {});
     const loaded = Object.keys(createRequire(import.meta.url).cache);
     for (const name of ["nodemailer", "@aws-sdk/client-ses"])
       if (loaded.some((file) => file.includes("/node_modules/" + name + "/"))) console.log(name);`,
  );
  expect({ stdout, stderr }).toEqual({ stdout: loaded, stderr: "" });
});
