import { describe, expect, test } from "vitest";
import type { Environment } from "../../src/config/config.ts";
import { proxyFor } from "../../src/config/proxy.ts";
import { environmentSecrets } from "../../src/config/secrets.ts";

const P = "http://proxy.example:3128";
const URL_ = "https://api.service.example/prod";

const rows: readonly (readonly [string, string, Environment, string | undefined])[] = [
  ["nothing is set", URL_, {}, undefined],
  ["a proxy for https", URL_, { HTTPS_PROXY: P }, P],
  ["the lower case counts first", URL_, { https_proxy: P, HTTPS_PROXY: "http://other" }, P],
  ["an empty one turns the others off", URL_, { https_proxy: "", HTTPS_PROXY: P }, undefined],
  ["one for http is not for https", URL_, { HTTP_PROXY: P }, undefined],
  ["and the other way round", "http://h.example", { HTTPS_PROXY: P }, undefined],
  ["one for all", "http://h.example", { ALL_PROXY: P }, P],
  ["without a scheme it is http", URL_, { HTTPS_PROXY: "proxy.example:3128" }, P],
  ["by an IPv6 address", URL_, { HTTPS_PROXY: "http://[fd00::1]:3128" }, "http://[fd00::1]:3128"],
  ["this machine is near", "http://localhost:8000", { ALL_PROXY: P }, undefined],
  ["by its addresses too", "http://127.1.2.3", { ALL_PROXY: P }, undefined],
  ["IPv6 as well", "http://[::1]:8000", { ALL_PROXY: P }, undefined],
  ["and what is on the link", "http://169.254.169.254", { ALL_PROXY: P }, undefined],
];
test.each(rows)("%s", (_, target, env, expected) => {
  const faults: string[] = [];
  expect(proxyFor(target, env, faults)?.origin).toBe(expected);
  expect(faults).toEqual([]);
});

describe("$NO_PROXY", () => {
  const direct = [
    ["*", URL_],
    ["api.service.example", URL_],
    ["service.example", URL_],
    [".service.example", URL_],
    ["*.service.example", URL_],
    ["a.example, SERVICE.example.", URL_],
    ["a.example service.example", URL_],
    ["service.example:443", URL_],
    ["service.example:8443", "https://service.example:8443"],
    ["service.example:80", "http://service.example"],
    ["10.1.2.3", "https://10.1.2.3"],
    ["10.0.0.0/8", "https://10.1.2.3"],
    ["10.0.0.0/8:443", "https://10.1.2.3"],
    ["fd00:0::1", "https://[fd00::1]"],
    ["[fd00::1]:8443", "https://[fd00::1]:8443"],
    ["fd00::/8", "https://[fd12::1]"],
  ] as const;
  test.each(direct)("%s means %s", (entry, target) => {
    for (const name of ["NO_PROXY", "no_proxy"])
      expect(proxyFor(target, { ALL_PROXY: P, [name]: entry }, [])).toBeUndefined();
  });

  const proxied = [
    ["", URL_],
    [",", URL_],
    ["ervice.example", URL_],
    ["other.example", URL_],
    ["x.api.service.example", URL_],
    ["service.example:8443", URL_],
    ["10.0.0.0/16", "https://10.1.2.3"],
    ["10.0.0.0/99", "https://10.1.2.3"],
    ["fd00::1%eth0", "https://[fd12::1]"],
    ["fd00::/16", "https://[fd12::1]"],
    ["10.1.2.3", "https://10.1.2.30"],
  ] as const;
  test.each(proxied)("%s does not mean %s", (entry, target) => {
    expect(proxyFor(target, { ALL_PROXY: P, NO_PROXY: entry }, [])?.origin).toBe(P);
  });
});

describe("a value that cannot be used", () => {
  const wrong = [
    ["socks5://proxy.example:1080", 'found "socks5://…"'],
    ["ftp://proxy.example", 'found "ftp://…"'],
    ["http://", 'found "http://…"'],
    ["http://ann:12#secret99@proxy.example", 'found "http://…"'],
    ["http://ann:12/secret99@proxy.example", 'found "http://…"'],
    ["ann:secret99%@proxy.example", 'found "…"'],
    ["a proxy", 'found "…"'],
  ] as const;
  test.each(wrong)("%s is a fault that names the variable, not the value", (value, found) => {
    const faults: string[] = [];
    for (const target of [URL_, "https://other.example"])
      expect(proxyFor(target, { HTTPS_PROXY: value }, faults)).toBeUndefined();
    expect(faults).toEqual([
      `the environment variable HTTPS_PROXY: must be a URL such as "${P}", ${found}`,
    ]);
  });
});

test("the password of a proxy is a secret, as typed and as sent", () => {
  const env = {
    https_proxy: "http://ann:p%40ssw0rd@proxy.example",
    HTTP_PROXY: "ben:t0p:s3cret@p",
  };
  expect(environmentSecrets(env)).toEqual(
    expect.arrayContaining(["p%40ssw0rd", "p@ssw0rd", "t0p:s3cret"]),
  );
});
