import { statSync } from "node:fs";
import { safeParse } from "valibot";
import { readableByAll, shellWord } from "../core/rights.ts";
import type { Config } from "./config.ts";
import { headerSecrets } from "./secrets.ts";
import { headers as headersSchema } from "./values.ts";

/** Files with a secret that every user of the machine can read, one line each. */
export function configWarnings({ db, sources, channels }: Config, path: string): readonly string[] {
  const headers = [...sources.tables.values()].flatMap(({ settings }) => {
    const given = safeParse(headersSchema, settings.headers ?? {});
    return given.success ? headerSecrets(given.output) : [];
  });
  const password = db.kind === "server" && db.hasPassword ? (db.envPath ?? path) : undefined;
  const hasHook = [...channels.tables.values()].some(({ settings }) => "url" in settings);
  const other = hasHook ? "the URL of a hook" : headers.length > 0 && "request headers";
  return [
    ...(password === undefined ? [] : readable(password, "a database password")),
    ...(other && password !== path ? readable(path, other) : []),
  ];
}

function readable(path: string, secret: string): readonly string[] {
  const rights = statSync(path, { throwIfNoEntry: false });
  if (rights === undefined || !readableByAll(rights)) return [];
  return [
    `${shellWord(path)} holds ${secret} and every user on this machine can read it; as the owner run: chmod o-r ${shellWord(path)}`,
  ];
}
