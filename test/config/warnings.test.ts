import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { channelFaults } from "../../src/channel/registry.ts";
import { loadConfig } from "../../src/config/load.ts";
import { configWarnings } from "../../src/config/warnings.ts";
import { sourceFaults } from "../../src/source/registry.ts";

const HEADERS = '[sources.a]\nbase_url = "http://h"\nheaders = { X-Key = "k" }\n';
const HOOK = '[channels.chat]\ntype = "webhook"\nurl = "https://h.example/k"\n';
const LOGIN = '[db]\ndsn = "postgresql://u:password-1@h/n"\n';

test.each([
  ["no secret", '[channels.files]\ntype = "file"\n', 0o644, undefined],
  ["request headers", HEADERS, 0o644, "request headers"],
  ["the URL of a hook", HEADERS + HOOK, 0o644, "the URL of a hook"],
  ["a password, which is named once with all else", LOGIN + HOOK, 0o644, "a database password"],
  ["a file that a group may read", HOOK, 0o640, undefined],
])("%s", (_, text, mode, secret) => {
  const folder = mkdtempSync(join(tmpdir(), "swf-alarms-warnings-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "config.toml");
  writeFileSync(path, text);
  chmodSync(path, mode);
  const warning = `${path} holds ${secret} and every user on this machine can read it; as the owner run: chmod o-r ${path}`;
  const expected = secret === undefined ? [] : [warning];
  expect(configWarnings(loadConfig(path, {}, { channelFaults, sourceFaults }), path)).toEqual(
    expected,
  );
});
