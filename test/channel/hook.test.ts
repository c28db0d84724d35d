import { readFileSync } from "node:fs";
import { parse } from "smol-toml";
import { describe, expect, test } from "vitest";
import { mattermost } from "../../src/channel/mattermost.ts";
import { webhook } from "../../src/channel/webhook.ts";
import { configureChannel } from "../support/channels.ts";

const URL_WORDS =
  'an http or https URL without user name or fragment, such as "https://chat.example/hooks/KEY"';
const KEY = "s3cret-key-of-the-hook";
const HOOK = `https://chat.example/hooks/${KEY}`;
const SIGNED = `whsec_${Buffer.alloc(24, "s3cret").toString("base64")}`;
const env = {
  HOOK,
  SIGNED,
  TWO: `${SIGNED}  ${SIGNED}\n`,
  BARE_KEY: Buffer.alloc(24, "s3cret").toString("base64"),
  NO_URL: "s3cret",
  GITHUB: "s3cret-of-github",
};
const files: { readonly [path: string]: string } = {
  "/etc/swf/hook": `${HOOK}\n`,
  "/etc/swf/short": "whsec_c2hvcnQ=",
};
const around = { env, findText: (path: string) => files[path] };

describe("settings that can be used", () => {
  test.each([
    ["the address from a variable", { url_env: "HOOK" }],
    ["from a file", { url_file: "hook" }],
    ["or written", { url: HOOK }],
  ])("%s: only its origin is shown, and all of it is a secret", (_sentence, settings) => {
    for (const type of [webhook, mattermost]) {
      const { opener, faults } = configureChannel(type, settings, around);
      expect(faults).toEqual([]);
      expect(opener?.target).toBe("https://chat.example");
      expect(opener?.secrets).toEqual([HOOK, `/hooks/${KEY}`, KEY]);
    }
  });

  test("a short path is no secret of its own, and an address without one is none", () => {
    const secrets = (url: string) => configureChannel(webhook, { url }).opener?.secrets;
    expect(secrets("https://host.example/in?key=0123456789abcdef")).toEqual([
      "https://host.example/in?key=0123456789abcdef",
      "/in?key=0123456789abcdef",
      "0123456789abcdef",
    ]);
    expect(secrets("http://127.0.0.1:8080")).toEqual([]);
    // Links in the texts of alarms stay as they are.
    const words = "https://host.example/api/v1/events";
    expect(secrets(words)).toEqual([words]);
  });

  test("secrets of signatures and headers are secrets", () => {
    const settings = {
      url: "http://127.0.0.1",
      secret_env: "TWO",
      github_secret_env: "GITHUB",
      headers: { Authorization: "Bearer t0ken", Accept: "text/plain" },
    };
    const { opener } = configureChannel(webhook, settings, around);
    expect(opener?.secrets).toEqual([SIGNED, SIGNED, env.GITHUB, "Bearer t0ken", "t0ken"]);
  });

  test("the room of a chat is the target", () => {
    const settings = { url_env: "HOOK", channel: "alarms", username: "SWF", mention: "@here @ann" };
    expect(configureChannel(mattermost, settings, around).opener?.target).toBe("alarms");
  });
});

const at = (key: string, words: string) => `channels.chat.${key}: ${words}`;
const ONE = "set exactly one of url_env, url_file and url";
const url = { url_env: "HOOK" };

test.each<readonly [string, object, string]>([
  ["no address", {}, at("url_env", `missing; ${ONE}`)],
  ["two addresses", { url_env: "HOOK", url: HOOK }, at("url_env", ONE)],
  ["two more", { url_env: "HOOK", url_file: "hook" }, at("url_env", ONE)],
  [
    "a variable that is not set",
    { url_env: "OTHER" },
    at("url_env", "the environment variable OTHER is not set; set it where the engine starts"),
  ],
  ["a file that is missing", { url_file: "no" }, at("url_file", "/etc/swf/no does not exist")],
  [
    "a variable with another text",
    { url_env: "NO_URL" },
    at("url_env", `its value must be ${URL_WORDS}`),
  ],
  [
    "a file with another text",
    { url_file: "short" },
    at("url_file", `its value must be ${URL_WORDS}`),
  ],
  [
    "an address with a login",
    { url: "https://ann:s3cret@chat.example/" },
    at("url", `must be ${URL_WORDS}; the value is not shown`),
  ],
  [
    "no address but a host",
    { url: "chat.example/s3cret" },
    at("url", `must be ${URL_WORDS}; the value is not shown`),
  ],
  [
    "the address where its variable belongs",
    { url_env: HOOK },
    at(
      "url_env",
      'must be the name of an environment variable such as "MY_SECRET"; the value is not shown',
    ),
  ],
  [
    "a secret without its prefix",
    { ...url, secret_env: "BARE_KEY" },
    at(
      "secret_env",
      'its value must be "whsec_" and the base64 of 24 to 64 random bytes, such as: echo "whsec_$(openssl rand -base64 32)"',
    ),
  ],
  [
    "a short secret",
    { ...url, secret_file: "short" },
    at("secret_file", 'its value must be "whsec_"'),
  ],
  [
    "a header of the connection",
    { ...url, headers: { Host: "s3cret" } },
    at("headers.Host", "must be a header name"),
  ],
  [
    "no time",
    { ...url, timeout: 0 },
    at("timeout", "must be a number of seconds from 1 to 300, such as 20; found 0"),
  ],
  ["an unknown key", { ...url, secrets_env: "X" }, at("secrets_env", "unknown key")],
])("%s is a fault, and shows no secret", (_sentence, settings, fault) => {
  const { opener, faults } = configureChannel(webhook, settings, around);
  expect(opener).toBeUndefined();
  expect(faults).toEqual([expect.stringContaining(fault)]);
  expect(faults.join()).not.toMatch(/s3cret/);
});

test.each<readonly [string, object]>([
  ["channel", { channel: "two words" }],
  ["username", { username: "" }],
  ["mention", { mention: "here" }],
])("a wrong %s is a fault of mattermost", (key, settings) => {
  const { faults } = configureChannel(mattermost, { ...url, ...settings }, around);
  expect(faults).toEqual([
    expect.stringMatching(new RegExp(`^channels\\.chat\\.${key}: must be (a|the) `)),
  ]);
});

test.each([
  ["chat", mattermost],
  ["tickets", webhook],
])("[channels.%s] of config.toml.example can be used, and names every key", (name, type) => {
  const example = readFileSync(new URL("../../config.toml.example", import.meta.url), "utf8");
  const [, lines = ""] =
    new RegExp(`^# \\[channels.${name}\\]\n((# .*\n)+)`, "m").exec(example) ?? [];
  const { type: _, ...settings } = parse(lines.replace(/^# /gm, ""));
  const secrets = { TICKETS_HOOK: HOOK, TICKETS_SECRET: SIGNED, GITHUB_SECRET: "word" };
  expect(configureChannel(type, settings, { env: secrets, findText: () => HOOK }).faults).toEqual(
    [],
  );
  const missing = type.keys.filter(
    (key) => !/^url|_file$|^timeout$/.test(key) && !(key in settings),
  );
  expect(missing).toEqual([]);
});

test("a proxy that cannot be used is a fault", () => {
  const env = { HOOK, HTTPS_PROXY: "socks5://proxy.example" };
  expect(configureChannel(webhook, url, { env }).faults).toEqual([
    expect.stringContaining("HTTPS_PROXY"),
  ]);
});
