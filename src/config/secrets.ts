import type { Config, SourceConfig } from "./config.ts";
import type { Environment } from "./load.ts";

/** Secrets that other programs leave in the environment. */
const VARIABLES = ["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "PGPASSWORD"];

/** Headers that say nothing worth hiding; every other configured value is taken for a secret. */
const HARMLESS =
  /^(accept|accept-(charset|encoding|language)|cache-control|content-type|user-agent)$/i;

/** Everything that must never be shown: passwords, tokens, header values, and what holds one. */
export function secretsOf(config: Config, env: Environment): readonly string[] {
  return [
    ...environmentSecrets(env),
    ...(config.db.kind === "dsn" ? dsnSecrets(config.db.dsn) : []),
    ...(config.db.kind === "env file" ? [config.db.login.password ?? ""] : []),
    ...Object.values(config.sources).flatMap(sourceSecrets),
  ].filter((secret) => secret !== "");
}

/** The part that is known before any configuration is. */
export function environmentSecrets(env: Environment): readonly string[] {
  return VARIABLES.flatMap((name) => env[name] ?? []);
}

/** The password of a DSN, as it stands and decoded; none where it has none. */
export function dsnSecrets(dsn: string): readonly string[] {
  if (!URL.canParse(dsn)) return [dsn];
  const url = new URL(dsn);
  const passwords = [url.password, ...url.searchParams.getAll("password")];
  // The parser encodes what the writer did not.
  const typed = /^[^:]+:\/\/[^/:@]*:(.*)@/.exec(dsn)?.[1] ?? "";
  return [...passwords, typed].filter((password) => password !== "");
}

function sourceSecrets({ headers, token }: SourceConfig): readonly string[] {
  return [...(token === undefined ? [] : [token]), ...headerSecrets(headers)];
}

/** The values of configured headers that may be secrets, and the logins in them. */
export function headerSecrets(headers: SourceConfig["headers"]): readonly string[] {
  return Object.entries(headers)
    .filter(([name]) => !HARMLESS.test(name))
    .flatMap(([, value]) => [value, ...loginIn(value)]);
}

/** What follows `Bearer` or `Basic`, and the password that `Basic` holds in base64. */
function loginIn(value: string): readonly string[] {
  const [, scheme = "", credentials = ""] = /^(\w+)\s+(\S+)$/.exec(value.trim()) ?? [];
  if (credentials === "") return [];
  if (scheme.toLowerCase() !== "basic") return [credentials];
  const login = Buffer.from(credentials, "base64").toString("utf8");
  return [credentials, login, login.slice(login.indexOf(":") + 1)];
}
