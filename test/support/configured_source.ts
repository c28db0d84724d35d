import { onTestFinished } from "vitest";
import type { Surroundings } from "../../src/config/config.ts";
import { parseConfig } from "../../src/config/parse.ts";
import { readSources } from "../../src/source/registry.ts";
import type { OpenSource } from "../../src/source/source_kind.ts";
import { BARE } from "./login.ts";

/** Opens the only source of a configuration, `[sources.box]` with these settings, for one test. Throws its faults. */
export function openConfigured(settings: string, env: Surroundings["env"] = {}): OpenSource {
  const parsed = parseConfig(`[sources.box]\n${settings}`, { ...BARE, env });
  if (!parsed.ok) throw new Error(parsed.faults.join("\n"));
  const opener = readSources(parsed.config.sources).get("box");
  if (opener === undefined) throw new Error("the configuration has no source");
  const ended = new AbortController();
  const source = opener.open({
    name: "box",
    timeout: 20,
    maxConnections: 4,
    signal: ended.signal,
    memory: { left: 1_000_000 },
  });
  onTestFinished(async () => {
    ended.abort();
    await source.close();
  });
  return source;
}
