import { object, optional } from "valibot";
import type { SettingsPlace } from "../../config/config.ts";
import { showPath } from "../../config/issue.ts";
import { proxyFor } from "../../config/proxy.ts";
import { readCertificates } from "../../config/read_certificates.ts";
import { readSecret } from "../../config/secret.ts";
import { headerSecrets } from "../../config/secrets.ts";
import { MISSING_ADDRESS, parseAddress, SERVICE, serviceAddress } from "../../config/service.ts";
import { connections, isHeaderValue, ONE_LINE, seconds } from "../../config/values.ts";
import { sourceKind } from "../source_kind.ts";
import { HttpSource } from "./http_source.ts";

/** A kind of service that is reached over HTTP. `settle` completes its base URL. */
export function httpKind(
  kind: "http" | "xmlrpc",
  settle: (baseUrl: string) => string = (baseUrl) => baseUrl,
) {
  return sourceKind(
    object(
      {
        base_url: serviceAddress,
        ...SERVICE,
        request_timeout: optional(seconds),
        max_connections: optional(connections),
      },
      MISSING_ADDRESS,
    ),
    (given, place) => {
      const { path, around, faults } = place;
      const { baseUrl = "", socketPath } = parseAddress(given.base_url) ?? {};
      const { headers, ca_file: caFile } = given;
      const login = readLogin(given, place);
      if (caFile !== undefined && !/^https:/i.test(baseUrl))
        faults.push(`${showPath([...path, "ca_file"])}: base_url is not https; remove one of them`);
      const settings = {
        kind,
        baseUrl: settle(baseUrl),
        socketPath,
        headers,
        authorization: login.authorization,
        ca: caFile === undefined ? undefined : readCertificates("ca_file", caFile, place),
        userAgent: given.user_agent,
        maxPerMinute: given.max_per_minute,
        proxy: socketPath === undefined ? proxyFor(baseUrl, around.env, faults) : undefined,
      };
      return {
        secrets: [...login.secrets, ...headerSecrets(headers)],
        open: ({ name, timeout, maxConnections, signal, memory }) => {
          const limits = {
            timeout: given.request_timeout ?? timeout,
            maxConnections: given.max_connections ?? maxConnections,
          };
          return new HttpSource({ ...settings, ...limits, name }, signal, memory);
        },
      };
    },
  );
}

interface LoginSettings {
  readonly headers: { readonly [name: string]: string };
  readonly token_env?: string | undefined;
  readonly login_env?: string | undefined;
}

interface Login {
  /** The value of the header. */
  readonly authorization: string | undefined;
  readonly secrets: readonly string[];
}

const NO_LOGIN: Login = { authorization: undefined, secrets: [] };

/** The Authorization header, which only one key may set. */
function readLogin(given: LoginSettings, place: SettingsPlace): Login {
  const { headers, token_env: tokenEnv, login_env: loginEnv } = given;
  const fault = (key: string, words: string): Login => {
    place.faults.push(`${showPath([...place.path, key])}: ${words}`);
    return NO_LOGIN;
  };
  if (tokenEnv !== undefined && loginEnv !== undefined)
    return fault("login_env", "cannot be used beside token_env; remove one of them");
  const key = tokenEnv === undefined ? "login_env" : "token_env";
  const variable = tokenEnv ?? loginEnv;
  if (variable === undefined) return NO_LOGIN;
  const header = Object.keys(headers).find((name) => name.toLowerCase() === "authorization");
  if (header !== undefined)
    return fault(key, `cannot be used beside the header ${header} in headers; remove one of them`);
  const name = key.replace("_env", "");
  const value = readSecret(name, { env: variable, file: undefined }, place);
  if (value === undefined) return NO_LOGIN;
  if (key === "token_env") {
    if (isHeaderValue(value)) return { authorization: `Bearer ${value}`, secrets: [value] };
    const words = `must be ${ONE_LINE}; set it to the bare token`;
    return fault(key, `the environment variable ${variable} ${words}`);
  }
  // RFC 7617: the first colon ends the user name, and neither part has control characters.
  const [, password] = /^[^:\p{Cc}]*:(\P{Cc}*)$/u.exec(value) ?? [];
  if (password === undefined)
    return fault(key, `the environment variable ${variable} must be "user:password" in one line`);
  const encoded = Buffer.from(value).toString("base64");
  return { authorization: `Basic ${encoded}`, secrets: [value, password, encoded] };
}
