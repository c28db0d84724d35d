import { expect, test } from "vitest";
import type { Config, Environment } from "../../src/config/config.ts";
import { secretsOf } from "../../src/config/secrets.ts";
import { BARE, loginTo } from "../support/login.ts";

function configWith(db: Config["db"]): Config {
  return {
    engine: {
      requestTimeout: 1,
      maxConnections: 4,
      tickTimeout: 1,
      limits: { timeout: 1, memory: 64, detections: 10 },
      logPath: undefined,
      alarmFolders: [{ path: "/alarms" }],
      quarantineAfter: 3,
      clearGuardShare: 0.8,
      unreachableAfter: 1800,
    },
    sources: { tables: new Map(), around: BARE },
    db,
    channels: { tables: new Map(), around: BARE },
    operators: [],
    retention: {
      engineRunsDays: 14,
      clearedEventsDays: undefined,
      notificationsDays: 365,
    },
  };
}

const EMBEDDED = { kind: "embedded", path: "/state" } as const;

test.each([
  ["nothing where there is no login", configWith(EMBEDDED), {}, []],
  ["a dsn without a password", configWith(loginTo("postgresql://u@h/d")), {}, []],
  [
    "the password of a dsn, as the server gets it",
    configWith(loginTo("postgresql://u:p%40ss%2fw%6Frd@h/d")),
    {},
    ["p@ss/word"],
  ],
  [
    "a password in the query of a dsn",
    configWith(loginTo("postgresql://h/d?password=hunter2")),
    {},
    ["hunter2"],
  ],
  [
    "what AWS and Postgres leave in the environment",
    configWith(EMBEDDED),
    {
      AWS_SECRET_ACCESS_KEY: "aws-1",
      AWS_SESSION_TOKEN: "aws-2",
      PGPASSWORD: "pg-1",
      HOME: "/root",
    },
    ["aws-1", "aws-2", "pg-1"],
  ],
  ...[
    "http://jane@corp.com:p%40:ss@h:3128",
    " http://jane:p%40:ss@h ",
    "jane:p%40:ss@h",
    "\thttps://:p%40:ss@h/",
    "socks5://jane@a@b:p%40:ss@h",
  ].map((value): [string, Config, Environment, string[]] => [
    `the password of the proxy ${value}`,
    configWith(EMBEDDED),
    { https_proxy: value, NO_PROXY: "h:80" },
    ["p%40:ss", "p@:ss"],
  ]),
  [
    "no login of a proxy",
    configWith(EMBEDDED),
    { HTTP_PROXY: "http://u@h:3128", no_proxy: "h:1" },
    [],
  ],
])("%s", (_, config, env, expected) => {
  const found = secretsOf(config, env);
  for (const secret of expected) expect(found).toContain(secret);
  if (expected.length === 0) expect(found).toEqual([]);
  for (const harmless of ["text/html", "/root", "u", ""]) expect(found).not.toContain(harmless);
});
