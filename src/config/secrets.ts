import { attempt } from "../text/attempt.ts";
import type { Config, Environment } from "./config.ts";

/** Secrets that other programs leave in the environment. */
const VARIABLES = ["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "PGPASSWORD"];

/** Headers that hold no secret; the value of any other is taken for one. */
const HARMLESS =
  /^(accept|accept-(charset|encoding|language)|cache-control|content-type|from|origin|referer|user-agent)$/i;

/** The values that must never be shown, but for those of channels and sources, which their registries know. */
export function secretsOf({ db }: Config, env: Environment): readonly string[] {
  const password = db.kind === "server" ? db.login.password : undefined;
  return [...environmentSecrets(env), ...(typeof password === "string" ? [password] : [])].filter(
    (secret) => secret !== "",
  );
}

/** The part that is known before the configuration is read. */
export function environmentSecrets(env: Environment): readonly string[] {
  const proxies = Object.keys(env).filter((name) => /_proxy$/i.test(name));
  const urls = proxies.map((name) => (env[name] ?? "").trim().replace(/^\w+:\/\//, ""));
  // The last @ ends the login: the user may be an address.
  const passwords = urls.map((url) => /^[^:]*:(.*)@/s.exec(url)?.[1] ?? "");
  const decoded = passwords.map((each) => attempt(() => decodeURIComponent(each), each));
  return [...VARIABLES.flatMap((name) => env[name] ?? []), ...passwords, ...decoded];
}

/** The configured header values that may be secrets, and the logins in them. */
export function headerSecrets(headers: { readonly [name: string]: string }): readonly string[] {
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
