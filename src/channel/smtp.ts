import { isIP } from "node:net";
import { domainToASCII } from "node:url";
import { object, optional, picklist } from "valibot";
import type { SettingsPlace } from "../config/config.ts";
import { showPath } from "../config/issue.ts";
import { readSecret, secretFile, secretVariable } from "../config/secret.ts";
import { integerFrom, numberFrom, stringThat } from "../config/values.ts";
import { quote } from "../text/describe.ts";
import { channelType } from "./channel_type.ts";
import { MISSING_SENDER, sender } from "./sender.ts";

const HOST_WORDS = 'the name or address of a mail server, such as "smtp.example.org"';
const host = stringThat(
  HOST_WORDS,
  (value) => isIP(value) !== 0 || (/^[^\s:/@]+$/.test(value) && domainToASCII(value) !== ""),
);
const port = integerFrom(1, 65_535, "a port number from 1 to 65535");
const timeout = numberFrom(1, 600, "seconds from 1 to 600");
const user = stringThat("a user name of the mail server", (value) => /^[^\p{Cc}]+$/u.test(value));
const TLS = ["required", "optional", "none", "implicit"] as const;
const tls = picklist(TLS, `must be one of ${TLS.map((each) => `"${each}"`).join(", ")}`);

/** A mail server. `host`, `port` and `timeout` are names that the Python engine accepts too. */
export const smtp = channelType(
  object(
    {
      smtp_host: optional(host),
      host: optional(host),
      smtp_port: optional(port),
      port: optional(port),
      smtp_timeout: optional(timeout),
      timeout: optional(timeout),
      from: sender,
      tls: optional(tls),
      user: optional(user),
      password_env: secretVariable,
      password_file: secretFile,
    },
    MISSING_SENDER,
  ),
  (given, place) => {
    const { faults } = place;
    const at = (key: string): string => showPath([...place.path, key]);
    const { from, user, password_env: env, password_file: file } = given;
    const server = either(place, "host", given.smtp_host, given.host) ?? "";
    if (server === "") faults.push(`${at("smtp_host")}: missing; must be ${HOST_WORDS}`);
    const number = either(place, "port", given.smtp_port, given.port);
    const seconds = either(place, "timeout", given.smtp_timeout, given.timeout) ?? 20;
    const usual = number === 465 ? "implicit" : user === undefined ? "optional" : "required";
    const { tls = usual } = given;
    const isEncrypted = tls === "required" || tls === "implicit";
    if (user !== undefined && !isEncrypted && !/^(localhost|127\..*|::1)$/i.test(server))
      faults.push(
        `${at("tls")}: must be "required" or "implicit" with user, so that the password is encrypted, unless the server is localhost; found ${quote(tls)}`,
      );
    const password = readSecret("password", { env, file }, place);
    const hasPassword = env !== undefined || file !== undefined;
    if (user !== undefined && !hasPassword)
      faults.push(`${at("user")}: needs a password; set password_env or password_file too`);
    if (user === undefined && hasPassword)
      faults.push(`${at("user")}: missing; a password needs the user name of the mail server`);
    const login = user === undefined || password === undefined ? undefined : { user, password };
    const settings = { from, host: server, tls, login, timeout: seconds * 1000 };
    return {
      target: undefined,
      secrets: login === undefined ? [] : secretsOf(login),
      open: async () =>
        (await import("./smtp_channel.ts")).smtpChannel({
          ...settings,
          port: number ?? (tls === "implicit" ? 465 : 25),
        }),
    };
  },
);

/** The value of a setting with two names. */
function either<T>(
  { path, faults }: SettingsPlace,
  key: string,
  a: T | undefined,
  b: T | undefined,
): T | undefined {
  if (a !== undefined && b !== undefined && a !== b)
    faults.push(
      `${showPath([...path, `smtp_${key}`])}: ${quote(a)} differs from ${key}, ${quote(b)}; remove one of them`,
    );
  return a ?? b;
}

/** The password, also as commands contain it: a server may repeat a command in its answer. */
function secretsOf({ user, password }: { user: string; password: string }): readonly string[] {
  const encoded = [password, `\0${user}\0${password}`];
  return [password, ...encoded.map((text) => Buffer.from(text).toString("base64"))];
}
