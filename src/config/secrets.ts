import type { SourceConfig } from "../core/model.ts";
import { attempt } from "../text/attempt.ts";
import type { Config, Environment } from "./config.ts";

/** Secrets that other programs leave in the environment. */
const VARIABLES = ["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "PGPASSWORD"];

/** Headers that hold no secret; the value of any other is taken for one. */
const HARMLESS =
  /^(accept|accept-(charset|encoding|language)|cache-control|content-type|from|origin|referer|user-agent)$/i;

/** Every value that must never be shown: passwords, tokens, header values. */
export function secretsOf({ db, sources }: Config, env: Environment): readonly string[] {
  const password = db.kind === "server" ? db.login.password : undefined;
  return [
    ...environmentSecrets(env),
    ...(typeof password === "string" ? [password] : []),
    ...Object.values(sources).flatMap(({ headers, token = "" }) => [
      token,
      ...headerSecrets(headers),
    ]),
  ].filter((secret) => secret !== "");
}

/** The part that is known before the configuration is read. */
export function environmentSecrets(env: Environment): readonly string[] {
  const proxies = Object.keys(env).filter((name) => /_proxy$/i.test(name));
  const logins = proxies.map((name) => passwordIn(env[name] ?? ""));
  const decoded = logins.map((login) => attempt(() => decodeURIComponent(login), login));
  return [...VARIABLES.flatMap((name) => env[name] ?? []), ...logins, ...decoded];
}

/** The password in the URL of a proxy, as typed: a user may be an address with an `@`. */
function passwordIn(proxy: string): string {
  const address = proxy.trim().replace(/^\w+:\/\//, "");
  const login = address.slice(0, Math.max(0, address.lastIndexOf("@")));
  return login.split(":").slice(1).join(":");
}

/** The configured header values that may be secrets, and the logins in them. */
export function headerSecrets(headers: SourceConfig["headers"]): readonly string[] {
  return Object.entries(headers)
    .filter(([name]) => !HARMLESS.test(name))
    .flatMap(([, value]) => [value, ...loginIn(value)]);
}

/** The credentials after `Bearer` or `Basic`, and the password that `Basic` has in base64. */
function loginIn(value: string): readonly string[] {
  const [, scheme = "", credentials = ""] = /^(\w+)\s+(\S+)$/.exec(value.trim()) ?? [];
  if (credentials === "") return [];
  if (scheme.toLowerCase() !== "basic") return [credentials];
  const login = Buffer.from(credentials, "base64").toString("utf8");
  return [credentials, login, login.slice(login.indexOf(":") + 1)];
}
