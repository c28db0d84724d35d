import { expect, test } from "vitest";
import { parseConfig } from "../../src/config/parse.ts";
import { KINDS, readSources, sourceFaults } from "../../src/source/registry.ts";
import { leaflets } from "../support/leaflets.ts";
import { BARE } from "../support/login.ts";

/** What adds a kind of source: its file, and its line in the registry. */
const WITH_LEAFLETS = { ...KINDS, leaflets };

function parse(text: string) {
  return parseConfig(text, {
    ...BARE,
    sourceFaults: (table, around) => sourceFaults(table, around, WITH_LEAFLETS),
  });
}

test("one file and one line add a kind of source", async () => {
  const parsed = parse('[sources.hall]\nkind = "leaflets"\nfolder = "/srv/box"');
  if (!parsed.ok) throw new Error(parsed.faults.join("\n"));
  const source = readSources(parsed.config.sources, WITH_LEAFLETS)
    .get("hall")
    ?.open({
      name: "hall",
      timeout: 20,
      maxConnections: 3,
      signal: new AbortController().signal,
      memory: { left: 0 },
    });
  const response = await source?.request({ path: "/a", query: {} });
  expect(response?.body.toString()).toBe('"/srv/box/a"');
  expect(source?.maxConnections).toBe(3);
});

test.each([
  [
    "its settings are checked as those of any other",
    'kind = "leaflets"\nfoldr = "/srv"',
    ["sources.hall.foldr: unknown key (did you mean folder?)", "sources.hall.folder: missing"],
  ],
  [
    "a key of another kind is named with its kind",
    'kind = "leaflets"\nfolder = "/srv"\nuser_agent = "me"',
    [
      'sources.hall.user_agent: belongs to kind "http" or "xmlrpc", found with "leaflets"; remove one',
    ],
  ],
  [
    "a key of its own is one of no service over HTTP, which is the kind if none is set",
    'base_url = "http://h"\nfolder = "/srv"',
    ['sources.hall.folder: belongs to kind "leaflets", found with "http"; remove one'],
  ],
  [
    "a kind that is not known is named with the one that was meant",
    'kind = "leaflet"',
    [
      'sources.hall.kind: must be one of "http", "spool", "xmlrpc", "leaflets"; found "leaflet" (did you mean leaflets?)',
    ],
  ],
])("%s", (_, settings, faults) => {
  expect(parse(`[sources.hall]\n${settings}`)).toMatchObject({ ok: false, faults });
});
