import fc from "fast-check";
import { stringify } from "smol-toml";
import { describe, expect, test } from "vitest";
import { readChannels } from "../../src/channel/registry.ts";
import type { Config, Surroundings } from "../../src/config/config.ts";
import { parseConfig } from "../../src/config/parse.ts";
import { BARE } from "../support/login.ts";

const AROUND: Surroundings = {
  ...BARE,
  folder: "/etc/swf",
  alarmFolders: [{ path: "/opt/alarms" }],
  env: {
    TOKEN: "t0ken",
    LOGIN: "ann:pa55word",
    EMPTY: "",
    BROKEN: "one:a\ntwo",
    TAB: "one:a\tb",
  },
};

/** The settings in a text; fails the test where there are faults. */
function configOf(text: string, around: Partial<Surroundings> = {}): Config {
  const parsed = parseConfig(text, { ...AROUND, ...around });
  if (!parsed.ok) throw new Error(parsed.faults.join("\n"));
  return parsed.config;
}

interface Settings extends Omit<Config, "channels" | "sources"> {
  /** By name. */
  readonly channels: { readonly [name: string]: object };
  /** As written, by name. */
  readonly sources: { readonly [name: string]: object };
}

/** The same, with what can be seen of the channels and services. */
function settingsOf(text: string): Settings {
  const { channels, sources, ...config } = configOf(text);
  const seen = [...readChannels(channels).values()].map(({ name, type, isDefault, faults }) => {
    expect(faults).toEqual([]);
    const { type: _, ...settings } = channels.tables.get(name)?.settings ?? {};
    return [name, { type, isDefault, settings }] as const;
  });
  const services = [...sources.tables].map(([name, { settings }]) => [name, settings] as const);
  return {
    ...config,
    channels: Object.fromEntries(seen),
    sources: Object.fromEntries(services),
  };
}

function faultsOf(text: string, around: Partial<Surroundings> = {}): readonly string[] {
  const parsed = parseConfig(text, { ...AROUND, ...around });
  return parsed.ok ? [] : parsed.faults;
}

/** What is seen of a channel that writes files. */
function files(settings: object = {}) {
  return { type: "file", isDefault: false, settings };
}

const DEFAULTS: Settings = {
  engine: {
    requestTimeout: 20,
    maxConnections: 4,
    tickTimeout: 240,
    limits: { timeout: 60, memory: 512, detections: 100_000 },
    logPath: undefined,
    alarmFolders: [{ path: "/opt/alarms" }],
    quarantineAfter: 3,
    clearGuardShare: 0.8,
    unreachableAfter: 1800,
  },
  sources: {},
  db: { kind: "embedded", path: "/etc/swf/state" },
  channels: {},
  operators: [],
  retention: { engineRunsDays: 14, clearedEventsDays: undefined, notificationsDays: 365 },
};

describe("what can be set", () => {
  const rows: readonly [string, string, Partial<Settings>][] = [
    ["an empty file sets nothing", "", {}],
    ["so do empty tables, but for [email]", "[engine]\n[db]\n[sources]", {}],
    [
      "all of [engine]",
      `[engine]
base_url = "https://h.example/prod"
request_timeout = 5
alarm_timeout = 1.5
alarm_memory = 128
max_detections = 10
max_connections = 8
tick_timeout = 100
log_path = "/var/log/a.log"
alarms_dir = "/srv/alarms"
quarantine_after = 0
clear_guard_share = 1
unreachable_after = 0`,
      {
        engine: {
          requestTimeout: 5,
          maxConnections: 8,
          tickTimeout: 100,
          limits: { timeout: 1.5, memory: 128, detections: 10 },
          logPath: "/var/log/a.log",
          alarmFolders: [{ path: "/srv/alarms" }],
          quarantineAfter: 0,
          clearGuardShare: 1,
          unreachableAfter: 0,
        },
        sources: { main: { base_url: "https://h.example/prod" } },
      },
    ],
    [
      "all of [retention]",
      "[retention]\nengine_runs_days = 1\ncleared_events_days = 30\nnotifications_days = 36500",
      { retention: { engineRunsDays: 1, clearedEventsDays: 30, notificationsDays: 36_500 } },
    ],
    [
      "all of [retention] for ever",
      '[retention]\nengine_runs_days = "forever"\ncleared_events_days = "forever"\nnotifications_days = "forever"',
      {
        retention: {
          engineRunsDays: undefined,
          clearedEventsDays: undefined,
          notificationsDays: undefined,
        },
      },
    ],
    [
      "operators, by address and by team",
      '[email]\nprovider = "file"\noperators = ["ops@h.example", "@ops"]',
      {
        channels: { email: files() },
        operators: ["ops@h.example", "@ops"],
      },
    ],
    [
      "relative paths start from the file's folder",
      '[engine]\nlog_path = "run.log"\nalarms_dir = "../alarms"\n[db]\npath = "pg/data"\n[email]\nprovider = "file"\ndir = "mail"',
      {
        engine: {
          ...DEFAULTS.engine,
          logPath: "/etc/swf/run.log",
          alarmFolders: [{ path: "/etc/alarms" }],
        },
        db: { kind: "embedded", path: "/etc/swf/pg/data" },
        channels: { email: files({ dir: "mail" }) },
      },
    ],
    [
      "several alarms folders, in their order",
      '[engine]\nalarms_dir = ["/srv/alarms", "mine"]',
      {
        engine: {
          ...DEFAULTS.engine,
          alarmFolders: [{ path: "/srv/alarms" }, { path: "/etc/swf/mine" }],
        },
      },
    ],
    [
      "an absolute path stays",
      '[db]\npath = "/var/lib/swf"',
      { db: { kind: "embedded", path: "/var/lib/swf" } },
    ],
    [
      "SES, which is what [email] means unless it says otherwise",
      '[email]\nfrom = "a@h.example"',
      { channels: { email: { type: "ses", isDefault: false, settings: { from: "a@h.example" } } } },
    ],
    [
      "all of SES",
      '[email]\nprovider = "ses"\nfrom = "SWF alarms <a@h.example>"\nregion = "us-east-1"\nendpoint = "http://127.0.0.1:8005"',
      {
        channels: {
          email: {
            type: "ses",
            isDefault: false,
            settings: {
              from: "SWF alarms <a@h.example>",
              region: "us-east-1",
              endpoint: "http://127.0.0.1:8005",
            },
          },
        },
      },
    ],
    [
      "mail to files, which needs nothing more",
      '[email]\nprovider = "file"',
      { channels: { email: files() } },
    ],
    [
      "further channels, one of them a default",
      '[channels.a]\ntype = "file"\ndefault = true\n[channels.b-2_c]\ntype = "file"\ndir = "/b"',
      {
        channels: {
          a: { ...files(), isDefault: true, settings: { default: true } },
          "b-2_c": files({ dir: "/b" }),
        },
      },
    ],
    [
      "a further service",
      '[sources.a]\nbase_url = "http://h"',
      { sources: { a: { base_url: "http://h" } } },
    ],
    [
      "what [engine] has of its service, which is the source main",
      `[engine]
service_base_url = "unix:///run/h.sock:/api"
token_env = "TOKEN"
headers = { X-One = "1" }
max_per_minute = 30
user_agent = "me"`,
      {
        sources: {
          main: {
            base_url: "unix:///run/h.sock:/api",
            token_env: "TOKEN",
            headers: { "X-One": "1" },
            max_per_minute: 30,
            user_agent: "me",
          },
        },
      },
    ],
    [
      "line ends of Windows and a byte order mark",
      '\ufeff[db]\r\npath = "/p"\r\n',
      { db: { kind: "embedded", path: "/p" } },
    ],
  ];
  test.each(rows)("%s", (_, text, part) => {
    expect(settingsOf(text)).toEqual({ ...DEFAULTS, ...part });
  });

  test.each(["swf_remote_base_url", "service_base_url"])(
    "an older configuration's %s is base_url",
    (name) => {
      const { sources } = settingsOf(`[engine]\n${name} = "http://old"`);
      expect(sources).toEqual({ main: { base_url: "http://old" } });
    },
  );

  test("two names for one service are no conflict", () => {
    const text = '[engine]\nbase_url = "http://h"\nservice_base_url = "http://h"';
    expect(settingsOf(text).sources).toEqual({ main: { base_url: "http://h" } });
  });

  test.each<[string, string, number, (config: Config) => number]>([
    ["the shortest timeout", "request_timeout", 0.1, requestTimeout],
    ["the longest timeout", "request_timeout", 3600, requestTimeout],
    ["the shortest time for an alarm", "alarm_timeout", 0.1, ({ engine }) => engine.limits.timeout],
    ["the longest time for an alarm", "alarm_timeout", 3600, ({ engine }) => engine.limits.timeout],
    ["the least memory", "alarm_memory", 64, ({ engine }) => engine.limits.memory],
    ["the most memory", "alarm_memory", 1_048_576, ({ engine }) => engine.limits.memory],
    ["the fewest detections", "max_detections", 1, ({ engine }) => engine.limits.detections],
    ["the most detections", "max_detections", 10_000_000, ({ engine }) => engine.limits.detections],
    ["the shortest tick", "tick_timeout", 0.1, ({ engine }) => engine.tickTimeout],
    ["the longest tick", "tick_timeout", 3600, ({ engine }) => engine.tickTimeout],
    ["one connection", "max_connections", 1, ({ engine }) => engine.maxConnections],
    ["the most connections", "max_connections", 30, ({ engine }) => engine.maxConnections],
  ])("%s is taken", (_, key, value, read) => {
    expect(read(configOf(`[engine]\n${key} = ${value}`))).toBe(value);
  });
});

function requestTimeout({ engine }: Config): number {
  return engine.requestTimeout;
}

const URL_WORDS =
  'an http or https URL without user name, query or fragment, such as "https://host.example/prod"';
const ADDRESS_WORDS = `${URL_WORDS}, or a local socket such as "unix:///run/service.sock", with a prefix of all paths "unix:///run/service.sock:/api"`;

describe("each fault names its key, what was found and what to write", () => {
  const rows: readonly [string, string, readonly string[]][] = [
    [
      "more connections than the upstream has threads",
      "[engine]\nmax_connections = 31",
      ["engine.max_connections: must be a whole number of connections from 1 to 30; found 31"],
    ],
    [
      "a base URL that is no text",
      "[engine]\nbase_url = 1",
      [`engine.base_url: must be ${ADDRESS_WORDS}; found 1`],
    ],
    [
      "a base URL without a scheme",
      '[engine]\nbase_url = "host.example"',
      [`engine.base_url: must be ${ADDRESS_WORDS}; found "host.example"`],
    ],
    [
      "a base URL of another scheme",
      '[engine]\nswf_remote_base_url = "ftp://h"',
      [`engine.swf_remote_base_url: must be ${ADDRESS_WORDS}; found "ftp://h"`],
    ],
    [
      "a base URL with a fragment",
      '[engine]\nservice_base_url = "http://h/#a"',
      [`engine.service_base_url: must be ${ADDRESS_WORDS}; found "http://h/#a"`],
    ],
    [
      "two services in one",
      '[engine]\nbase_url = "http://a"\nservice_base_url = "http://b"',
      ["engine: base_url and service_base_url name different services; keep only base_url"],
    ],
    [
      "a timeout that is no number",
      '[engine]\nrequest_timeout = "20"',
      [
        'engine.request_timeout: must be a number of seconds from 0.1 to 3600, such as 20; found "20"',
      ],
    ],
    [
      "a timeout of zero",
      "[engine]\nalarm_timeout = 0",
      ["engine.alarm_timeout: must be a number of seconds from 0.1 to 3600, such as 20; found 0"],
    ],
    [
      "a timeout of more than an hour",
      "[engine]\nrequest_timeout = 3601",
      [
        "engine.request_timeout: must be a number of seconds from 0.1 to 3600, such as 20; found 3601",
      ],
    ],
    [
      "a timeout that is not a number",
      "[engine]\nrequest_timeout = nan",
      [
        expect.stringMatching(
          /^engine\.request_timeout: must be a number of seconds .*; found NaN/i,
        ),
      ],
    ],
    [
      "a timeout without end",
      "[engine]\nrequest_timeout = inf",
      [
        expect.stringMatching(
          /^engine\.request_timeout: must be a number of seconds .*; found Inf/i,
        ),
      ],
    ],
    [
      "half a failure",
      "[engine]\nquarantine_after = 2.5",
      [
        "engine.quarantine_after: must be a whole number of failures such as 3, or 0 for never; found 2.5",
      ],
    ],
    [
      "a share that is a percentage",
      "[engine]\nclear_guard_share = 80",
      [
        "engine.clear_guard_share: must be a share from 0 to 1 such as 0.8; 1 turns the guard off; found 80",
      ],
    ],
    [
      "a time before now",
      "[engine]\nunreachable_after = -1",
      ["engine.unreachable_after: must be a number of seconds such as 1800; found -1"],
    ],
    [
      "operators that are a text",
      '[email]\nfrom = "a@h.example"\noperators = "ops@h.example"',
      [
        'email.operators: must be a list of email addresses and @teams, such as ["ops@host.example", "@ops"]; found "ops@h.example"',
      ],
    ],
    [
      "an operator that is no address",
      '[email]\nfrom = "a@h.example"\noperators = ["ops"]',
      [
        'email.operators: must be a list of email addresses and @teams, such as ["ops@host.example", "@ops"]; found ["ops"]',
      ],
    ],
    [
      "an empty log path",
      '[engine]\nlog_path = ""',
      [
        'engine.log_path: must be a path such as "/var/log/swf-alarms/run.log", without ~user or $VARIABLE; found ""',
      ],
    ],
    ...["[]", '""', '["a",""]', '["a",1]', "1", '["http://h"]', '["a\\u0007"]'].map(
      (value): [string, string, readonly string[]] => [
        `alarms folders that are ${value}`,
        `[engine]\nalarms_dir = ${value}`,
        [
          `engine.alarms_dir: must be a folder such as "alarms", or a list such as ["alarms", "/srv/team/alarms"], without ~user or $VARIABLE; found ${value}`,
        ],
      ],
    ),
    [
      "an alarms folder that is a login",
      '[engine]\nalarms_dir = ["postgresql://u:secret@h/n"]',
      [
        'engine.alarms_dir: must be a folder such as "alarms", or a list such as ["alarms", "/srv/team/alarms"], without ~user or $VARIABLE; the value is not shown',
      ],
    ],
    [
      "a list of [engine]",
      '[[engine]]\nbase_url = "http://h"',
      ["engine: must be a table; found a list"],
    ],
    ["a list of [db]", '[[db]]\npath = "state"', ["db: must be a table; found a list"]],
    ["a list of [email]", '[[email]]\nfrom = "a@h"', ["email: must be a table; found a list"]],
    [
      "a list of [sources]",
      '[[sources]]\nbase_url = "http://h"',
      ["sources: must be a table; found a list"],
    ],
    ...["0", "-1", "0.5", "36501", "nan", '"14"', '"for ever"', "true", "[14]"].map(
      (days): [string, string, readonly string[]] => [
        `days of ${days}`,
        `[retention]\nengine_runs_days = ${days}`,
        [
          expect.stringMatching(
            /^retention\.engine_runs_days: must be a whole number of days such as 14, or "forever"; found .*$/,
          ),
        ],
      ],
    ),
    ["a retention that is none", "retention = 5", ["retention: must be a table; found a number"]],
    [
      "an unknown key of [retention]",
      "[retention]\nevents_days = 5",
      [expect.stringMatching(/^retention\.events_days: unknown key/)],
    ],
    [
      "a list of one source",
      '[[sources.a]]\nbase_url = "http://h"',
      ["sources.a: must be a table; found a list"],
    ],
    [
      "headers that are a list",
      '[sources.a]\nbase_url = "http://h"\nheaders = ["X-A"]',
      ["sources.a.headers: must be a table; the value is not shown"],
    ],
    ["a table that is an empty list", "engine = []", ["engine: must be a table; found a list"]],
    ["a table that is a number", "engine = 5", ["engine: must be a table; found a number"]],
    ["sources that are none", "sources = true", ["sources: must be a table; found a boolean"]],
    [
      "two databases",
      '[db]\ndsn = "postgres://h/n"\npath = "state"',
      ["db: keep only one of dsn, path"],
    ],
    [
      "three databases",
      '[db]\ndsn = "postgres://h/n"\nenv_path = "/srv/.env"\npath = "state"',
      ["db: keep only one of dsn, env_path, path", expect.stringContaining("/srv/.env")],
    ],
    ...["", 'path = "x"'].map((path): [string, string, readonly string[]] => [
      `a schema of the embedded database ${path}`,
      `[db]\nschema = "app"\n${path}`,
      ["db.schema: the embedded database has no other; remove it, or set dsn or env_path"],
    ]),
    ...['""', "7", '"a\\u0000b"'].map((value): [string, string, readonly string[]] => [
      `the schema ${value}`,
      `[db]\ndsn = "postgres://h/n"\nschema = ${value}`,
      [expect.stringMatching(/^db.schema: must be the name of a schema, such as "app"; found /)],
    ]),
    [
      "a dsn of another kind",
      '[db]\ndsn = "mysql://h/n"',
      [
        'db.dsn: must be a postgresql URL such as "postgresql://user:password@host:5432/name"; the value is not shown',
      ],
    ],
    [
      "mail by carrier pigeon",
      '[email]\nprovider = "pigeon"\nfrom = "a@h.example"',
      [expect.stringMatching(/^email\.provider: must be one of "ses", .*"file"; found "pigeon"$/)],
    ],
    [
      "SES without a sender",
      '[email]\nregion = "us-east-1"',
      [
        'email.from: missing; must be an email address such as "alarms@host.example", which the mail service accepts as the sender',
      ],
    ],
    [
      "a sender that is no address",
      '[email]\nfrom = "nobody"',
      ['email.from: must be an email address such as "alarms@host.example"; found "nobody"'],
    ],
    [
      "a sender that would start a header",
      '[email]\nfrom = "a@h.example\\r\\nBcc: b@h.example"',
      [
        'email.from: must be an email address such as "alarms@host.example"; found "a@h.example\\r\\nBcc: b@h.example"',
      ],
    ],
    [
      "a sender's name that would start a header",
      '[email]\nfrom = "A\\nBcc: b@h.example <a@h.example>"',
      [
        'email.from: must be an email address such as "alarms@host.example"; found "A\\nBcc: b@h.example <a@h.example>"',
      ],
    ],
    [
      "a region that is a URL",
      '[email]\nfrom = "a@h.example"\nregion = "https://x"',
      ['email.region: must be an AWS region such as "us-east-1"; found "https://x"'],
    ],
    [
      "an endpoint that is none",
      '[email]\nfrom = "a@h.example"\nendpoint = "localhost"',
      [`email.endpoint: must be ${URL_WORDS}; found "localhost"`],
    ],
    [
      "a folder for SES",
      '[email]\nfrom = "a@h.example"\ndir = "outbox"',
      ['email.dir: belongs to provider "file", found with "ses"; remove one'],
    ],
    [
      "a region and an endpoint for files",
      '[email]\nprovider = "file"\nregion = "us-east-1"\nendpoint = "http://h"',
      [
        'email.region: belongs to provider "ses", found with "file"; remove one',
        'email.endpoint: belongs to provider "ses", found with "file"; remove one',
      ],
    ],
    [
      "a source with a capital",
      '[sources.GraceDB]\nbase_url = "http://h"',
      ["sources.GraceDB: must have a name of lower-case letters, digits and _"],
    ],
    [
      "a source without a base URL",
      "[sources.a]",
      [expect.stringMatching(/^sources\.a\.base_url: missing; must be an http or https URL /)],
    ],
    [
      "a header that is a number",
      '[sources.a]\nbase_url = "http://h"\nheaders = { "X-A" = 1 }',
      ["sources.a.headers.X-A: must be one line of Latin-1 text; the value is not shown"],
    ],
    [
      "a header's value with a line break",
      '[sources.a]\nbase_url = "http://h"\nheaders = { "X-A" = "1\\nX-B: 2" }',
      ["sources.a.headers.X-A: must be one line of Latin-1 text; the value is not shown"],
    ],
    [
      "a header's name with a line break",
      '[sources.a]\nbase_url = "http://h"\nheaders = { "X-A\\nX-B" = "1" }',
      [expect.stringContaining("sources.a.headers")],
    ],
    [
      "a header's name that HTTP does not have",
      '[sources.a]\nbase_url = "http://h"\nheaders = { "X A" = "1" }',
      [expect.stringContaining("sources.a.headers")],
    ],
    [
      "a user agent with a line break",
      '[sources.a]\nbase_url = "http://h"\nuser_agent = "a\\nb"',
      [
        'sources.a.user_agent: must be one line of Latin-1 text, such as "swf-alarms (ops@host.example)"; found "a\\nb"',
      ],
    ],
    [
      "a token that is not set",
      '[sources.a]\nbase_url = "http://h"\ntoken_env = "NOT_SET"',
      [
        "sources.a.token_env: the environment variable NOT_SET is not set; set it where the engine starts",
      ],
    ],
    [
      "a token that is empty",
      '[sources.a]\nbase_url = "http://h"\ntoken_env = "EMPTY"',
      [
        "sources.a.token_env: the environment variable EMPTY is not set; set it where the engine starts",
      ],
    ],
    [
      "a token with a line break",
      '[sources.a]\nbase_url = "http://h"\ntoken_env = "BROKEN"',
      [
        "sources.a.token_env: the environment variable BROKEN must be one line of Latin-1 text; set it to the bare token",
      ],
    ],
    ...[
      "",
      "unix:/run/a.sock",
      "unix://run/a.sock",
      "unix:///",
      "unix:///run/",
      "unix:///run/a\\u0007",
    ].map((address): [string, string, unknown[]] => [
      `the address ${address}`,
      `[sources.a]\nbase_url = "${address}"`,
      [
        expect.stringMatching(
          /^sources\.a\.base_url: must be an http .*, or a local socket such as /,
        ),
      ],
    ]),
    [
      "a prefix with a query",
      '[sources.a]\nbase_url = "unix:///run/a.sock:/api?x=1"',
      [expect.stringMatching(/^sources\.a\.base_url: must be .*; the value is not shown$/)],
    ],
    [
      "the path of a socket that Linux cannot have",
      `[sources.a]\nbase_url = "unix:///${"x".repeat(107)}"`,
      [expect.stringMatching(/^sources\.a\.base_url: must be /)],
    ],
    [
      "a token and a login",
      '[sources.a]\nbase_url = "http://h"\ntoken_env = "TOKEN"\nlogin_env = "LOGIN"',
      ["sources.a.login_env: cannot be used beside token_env; remove one of them"],
    ],
    ...["token_env", "login_env"].map((key): [string, string, string[]] => [
      `a header beside ${key}`,
      `[sources.a]\nbase_url = "http://h"\n${key} = "LOGIN"\nheaders = { authorization = "Bearer s3cret" }`,
      [
        `sources.a.${key}: cannot be used beside the header authorization in headers; remove one of them`,
      ],
    ]),
    ...["TOKEN", "BROKEN", "TAB"].map((name): [string, string, string[]] => [
      `a login that is ${name}`,
      `[sources.a]\nbase_url = "http://h"\nlogin_env = "${name}"`,
      [`sources.a.login_env: the environment variable ${name} must be "user:password" in one line`],
    ]),
    ...["0", "1.5", "1000001", '"30"', "true", "inf"].map((value): [string, string, unknown[]] => [
      `a limit per minute of ${value}`,
      `[sources.a]\nbase_url = "http://h"\nmax_per_minute = ${value}`,
      [
        expect.stringMatching(
          /^sources\.a\.max_per_minute: must be a whole number of requests from 1 to 1000000, such as 30; found /,
        ),
      ],
    ]),
    [
      "a timeout of a source that is too long",
      '[sources.a]\nbase_url = "http://h"\nrequest_timeout = 3601',
      [
        "sources.a.request_timeout: must be a number of seconds from 0.1 to 3600, such as 20; found 3601",
      ],
    ],
    [
      "a kind that is mistyped",
      '[sources.a]\nkind = "htpp"\nbase_url = "http://h"',
      [
        'sources.a.kind: must be one of "http", "spool", "xmlrpc"; found "htpp" (did you mean http?)',
      ],
    ],
    [
      "a kind that is no text",
      '[sources.a]\nkind = 1\nbase_url = "http://h"',
      ['sources.a.kind: must be one of "http", "spool", "xmlrpc"; found 1'],
    ],
    [
      "a kind of the main service, which has none",
      '[engine]\nbase_url = "http://h"\nkind = "http"',
      [expect.stringMatching(/^engine\.kind: unknown key/)],
    ],
    [
      "a file of authorities for a service without TLS",
      '[sources.a]\nbase_url = "http://h"\nca_file = "ca.pem"\n[sources.b]\nbase_url = "unix:///run/b.sock"\nca_file = "ca.pem"',
      ["a", "b"].flatMap((name) => [
        `sources.${name}.ca_file: base_url is not https; remove one of them`,
        expect.stringMatching(/^sources\.\w\.ca_file: \/etc\/swf\/ca\.pem has no certificate; /),
      ]),
    ],
    [
      "settings of a main service that has no address",
      '[engine]\ntoken_env = "TOKEN"',
      [`engine.base_url: missing; must be ${ADDRESS_WORDS}`],
    ],
    [
      "all that is wrong with the main service, at once",
      `[engine]
base_url = "https://h"
token_env = "NOT_SET"
ca_file = "ca.pem"
request_timeout = 0
[sources.a]
base_url = "http://h"
login_env = "EMPTY"`,
      [
        "engine.request_timeout: must be a number of seconds from 0.1 to 3600, such as 20; found 0",
        "engine.token_env: the environment variable NOT_SET is not set; set it where the engine starts",
        expect.stringMatching(/^engine\.ca_file: \/etc\/swf\/ca\.pem has no certificate; /),
        "sources.a.login_env: the environment variable EMPTY is not set; set it where the engine starts",
      ],
    ],
    [
      "wrong forms of the main service's settings, each named once",
      `[engine]
base_url = "https://h"
token_env = "a-b"
ca_file = 1
max_per_minute = 0
headers = []
user_agent = ""`,
      [
        /^engine\.headers: must be a table; the value is not shown$/,
        /^engine\.token_env: must be the name of an environment variable .*; the value is not shown$/,
        /^engine\.ca_file: must be a path .*; the value is not shown$/,
        /^engine\.max_per_minute: must be a whole number .*; found 0$/,
        /^engine\.user_agent: must be one line .*; found ""$/,
      ].map((fault) => expect.stringMatching(fault)),
    ],
    [
      "a source with the name of the main service, which [engine] sets",
      '[engine]\nbase_url = "http://a"\n[sources.main]\nbase_url = "http://b"',
      [expect.stringMatching(/^sources\.main: /)],
    ],
    ["an unknown table", "[emails]", ["emails: unknown key (did you mean email?)"]],
    [
      "an unknown table that is like none",
      "[logging]",
      ["logging: unknown key (known: engine, sources, db, email, channels, retention)"],
    ],
    [
      "a mistyped key of [engine]",
      '[engine]\nbase_ulr = "http://h"',
      ["engine.base_ulr: unknown key (did you mean base_url?)"],
    ],
    [
      "an unknown key of [db]",
      '[db]\nhost = "h"',
      ["db.host: unknown key (known: dsn, env_path, path, schema)"],
    ],
    [
      "a mistyped key of [email]",
      '[email]\nfrm = "a@h.example"\nfrom = "a@h.example"',
      ["email.frm: unknown key (did you mean from?)"],
    ],
    [
      "a key of [email] that is like none",
      '[email]\nprovider = "file"\ncolour = 1',
      ["email.colour: unknown key (known: dir, from, provider, default, operators)"],
    ],
    [
      "a mistyped key that all channels have",
      '[email]\nprovider = "file"\ndefautl = true\noperater = []',
      [
        "email.defautl: unknown key (did you mean default?)",
        "email.operater: unknown key (did you mean operators?)",
      ],
    ],
    [
      "the type of [email], which is its provider",
      '[email]\ntype = "file"\nfrom = "a@h.example"',
      ["email.type: unknown key (did you mean provider?)"],
    ],
    [
      "a default that is a text",
      '[email]\nfrom = "a@h.example"\ndefault = "yes"',
      ['email.default: must be true or false; found "yes"'],
    ],
    [
      "a type for [email] that mails nobody",
      '[email]\nprovider = "command"\ncommand = ["/bin/true"]',
      [expect.stringMatching(/^email\.provider: must be one of "ses", .*; found "command"$/)],
    ],
    [
      "a further channel with the name of [email]",
      '[channels.email]\ntype = "file"',
      ["channels.email: this name is reserved for [email]; choose another"],
    ],
    [
      "a channel whose name no row can be read with",
      '[channels.constructor]\ntype = "file"',
      ["channels.constructor: this name is reserved; choose another"],
    ],
    ...["Chat", "1st", "a.b", "constructor ", "x".repeat(51)].map(
      (name): [string, string, unknown[]] => [
        `a channel named ${name}`,
        `[channels."${name}"]\ntype = "file"`,
        [
          expect.stringMatching(
            /^channels\..*: must have a name of lower-case letters, digits, _ and -$/,
          ),
        ],
      ],
    ),
    ["channels that are none", "channels = 5", ["channels: must be a table; found a number"]],
    [
      "a list of one channel",
      '[[channels.a]]\ntype = "file"',
      ["channels.a: must be a table; found a list"],
    ],
    [
      "a mistyped key of a source",
      '[sources.a]\nbase_url = "http://h"\ntoken_envs = "TOKEN"',
      ["sources.a.token_envs: unknown key (did you mean token_env?)"],
    ],
    [
      "a key that every object has",
      "constructor = 1",
      ["constructor: unknown key (known: engine, sources, db, email, channels, retention)"],
    ],
    [
      "a quoted key with a dot",
      '"constructor.x" = 1',
      [expect.stringMatching(/^constructor\.x: unknown key/)],
    ],
    [
      "a key with a line break and a control character, which stay in quotes",
      '"a\\n\\u009b" = 1',
      [expect.stringMatching(/^"a\\n\\u009b": unknown key/)],
    ],
    [
      "a date in the place of a table",
      "engine = 2026-11-21",
      ["engine: must be a table; found a date"],
    ],
    [
      "a token under a name that every object has",
      '[sources.a]\nbase_url = "http://h"\ntoken_env = "constructor"',
      [
        expect.stringMatching(
          /^sources\.a\.token_env: the environment variable constructor is not/,
        ),
      ],
    ],
    [
      "a base URL with a lone question mark, behind which no path can stand",
      '[engine]\nbase_url = "http://h/api?"',
      [expect.stringMatching(/^engine\.base_url: must be .*; the value is not shown$/)],
    ],
    [
      "a base URL with a blank at its end",
      '[engine]\nbase_url = "http://h/api "',
      [expect.stringMatching(/^engine\.base_url: must be .*; found "http:\/\/h\/api "$/)],
    ],
    [
      "a user agent that HTTP has no byte for",
      '[sources.a]\nbase_url = "http://h"\nuser_agent = "\u2192"',
      [expect.stringMatching(/^sources\.a\.user_agent: must be .*; found "\u2192"$/)],
    ],
    [
      "a path that holds a NUL",
      '[db]\npath = "a\\u0000b"',
      ['db.path: must be a path such as "state", without ~user or $VARIABLE; found "a\\u0000b"'],
    ],
    ...["~ann/state", "$HOME/state", "/srv/$SITE/state", "$(pwd)/state"].map(
      (path): [string, string, unknown[]] => [
        `a path that only a shell can read: ${path}`,
        `[db]\npath = "${path}"\n[engine]\nalarms_dir = ["a", "${path}"]`,
        [
          expect.stringMatching(
            /^engine\.alarms_dir: must be a folder such as "alarms", or a list/,
          ),
          `db.path: must be a path such as "state", without ~user or $VARIABLE; found "${path}"`,
        ],
      ],
    ),
    [
      "a path with a line break of Unicode",
      '[db]\nenv_path = "a\u2028b"',
      [
        'db.env_path: must be a path such as "/var/www/app/.env", without ~user or $VARIABLE; found "a\\u2028b"',
      ],
    ],
    [
      "a sender that would move the cursor",
      '[email]\nfrom = "\\u001b[2J <a@h>"',
      [expect.stringMatching(/^email\.from: must be .*; found "\\u001b\[2J <a@h>"$/)],
    ],
  ];
  test.each(rows)("%s", (_, text, faults) => {
    expect(faultsOf(text)).toEqual(faults);
  });

  test("the fault quotes only the beginning of a long value", () => {
    const [fault = ""] = faultsOf(`[engine]\nbase_url = "${"x".repeat(100_000)}"`);
    expect(fault).toContain('found "xxx');
    expect(fault.length).toBeLessThan(400);
  });
});

describe("all faults are told at once", () => {
  test("in one file with everything wrong", () => {
    const faults = faultsOf(`
      colour = "red"
      [engine]
      base_url = "nope"
      request_timeout = 0
      log = "x"
      [db]
      dsn = 5
      env_path = "gone"
      [email]
      provider = "ses"
      dir = "outbox"
      default = "yes"
      colour = "red"
      operators = "me"
      [channels.chat]
      type = 5
      [channels.email]
      [sources.a]
      base_url = "http://h"
      token_env = "NOT_SET"
      [sources.b]
      base_url = 1
      user_agent = 2
    `);
    const keys = faults.map((fault) => fault.slice(0, fault.indexOf(":")));
    expect(keys.toSorted()).toEqual(
      [
        "colour",
        "engine.base_url",
        "engine.request_timeout",
        "engine.log",
        "db.dsn",
        "email.from",
        "email.dir",
        "email.default",
        "email.colour",
        "email.operators",
        "channels.email",
        "sources.a.token_env",
        "sources.b.base_url",
        "sources.b.user_agent",
      ].toSorted(),
    );
  });

  test("every unknown key of a table, not the first alone", () => {
    const source = '[sources.a]\nbase_url = "http://h"\ntoken = 1\npassword = 1';
    const faults = faultsOf(`a = 1\nb = 1\n[db]\nhost = 1\nport = 1\n${source}`);
    expect(faults.map((fault) => fault.slice(0, fault.indexOf(":"))).toSorted()).toEqual([
      "a",
      "b",
      "db.host",
      "db.port",
      "sources.a.password",
      "sources.a.token",
    ]);
  });

  test("a key of the wrong type is not said to be missing as well", () => {
    expect(faultsOf("[email]\nfrom = 5")).toHaveLength(1);
  });

  test("a wrong provider is one fault: what the others belong to is not known", () => {
    const faults = faultsOf('[email]\nprovider = "flie"\ndir = "outbox"');
    expect(faults).toEqual([
      expect.stringMatching(/^email\.provider: must be .*; found "flie" \(did you mean file\?\)$/),
    ]);
  });
});

describe("a file that is no TOML", () => {
  test.each([
    ["an unclosed table", "[engine\n", 1, 8],
    ["a key without a value", "a = 1\nb = ", 2, 5],
    ["a key given twice", "a = 1\n\na = 2", 3, 1],
    ["an unclosed text", '[db]\ndsn = "postgresql://h', 2, 7],
    ["a whole number that is too large", "a = 99999999999999999999", 1, 5],
  ])("%s: line and column", (_, text, line, column) => {
    const faults = faultsOf(text);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(new RegExp(`^line ${line}, column ${column}: \\S`));
    expect(faults[0]).not.toContain("\n");
  });

  test("lists in lists without end are a fault as well", () => {
    expect(faultsOf(`a = ${"[".repeat(100_000)}`)).toHaveLength(1);
  });
});

describe("a secret is never quoted", () => {
  test.each([
    ["in a dsn of the wrong kind", '[db]\ndsn = "mysql://u:s3cret@h/n"'],
    ["in a dsn that is no URL", '[db]\ndsn = "host=h password=s3cret"'],
    ["in a dsn that is a table", '[db.dsn]\npassword = "s3cret"'],
    ["in a dsn that is a list", '[db]\ndsn = ["s3cret"]'],
    ["in a dsn beside another database", '[db]\ndsn = "postgres://u:s3cret@h/n"\npath = "p"'],
    ["in a dsn in the place of its table", 'db = "postgresql://u:s3cret@h/n"'],
    ["in a dsn with an unclosed quote", '[db]\ndsn = "postgresql://u:s3cret@h/n'],
    ["in a dsn without quotes", "[db]\ndsn = postgresql://u:s3cret@h/n"],
    ["in a dsn with text behind it", '[db]\ndsn = "postgresql://u@h/n" s3cret'],
    ["in a dsn in the place of a path", '[db]\nenv_path = "postgresql://u:s3cret@h/n"'],
    ["in headers in the place of a text", '[sources.a]\nbase_url = { X-A = "s3cret" }'],
    ["in an unknown key of [db]", '[db]\npassword = "s3cret"'],
    ["in an unknown key of a source", '[sources.a]\nbase_url = "http://h"\ntoken = "s3cret"'],
    [
      "in a token_env that holds the token",
      '[sources.a]\nbase_url = "http://h"\ntoken_env = "tok-s3cret"',
    ],
    ["in a token_env that is a list", '[sources.a]\nbase_url = "http://h"\ntoken_env = ["s3cret"]'],
    [
      "in a header of the wrong type",
      '[sources.a]\nbase_url = "http://h"\nheaders = { Authorization = ["s3cret"] }',
    ],
    [
      "in headers that are no table",
      '[sources.a]\nbase_url = "http://h"\nheaders = "Bearer s3cret"',
    ],
    ["in a source that is no table", '[sources]\na = "s3cret"'],
    ["in sources that are no table", 'sources = "s3cret"'],
    ["in a base URL with a password", '[engine]\nbase_url = "https://u:s3cret@h"'],
    ["in a base URL with a token", '[engine]\nbase_url = "https://h/?token=s3cret"'],
    ["in a source's base URL with a password", '[sources.a]\nbase_url = "https://u:s3cret@h"'],
    [
      "in an endpoint with a password",
      '[email]\nfrom = "a@h.example"\nendpoint = "https://u:s3cret@h"',
    ],
    ["in the environment", '[sources.a]\nbase_url = "http://h"\ntoken_env = "BAD_TOKEN"'],
    ["in a dotenv file", '[db]\nenv_path = "/x/.env"'],
  ])("%s", (_, text) => {
    const faults = faultsOf(text, {
      env: { BAD_TOKEN: "s3cret\nx" },
      readText: () => "DB_NAME=n\nDB_PORT=x\nDB_PASSWORD=s3cret\nDB_USER=s3cret",
    });
    expect(faults.length).toBeGreaterThan(0);
    expect(faults.join("\n")).not.toContain("s3cret");
  });
});

describe("whatever the file holds", () => {
  const key = fc.oneof(
    fc.constantFrom("engine", "sources", "db", "email", "base_url", "service_base_url", "headers"),
    fc.constantFrom("dsn", "env_path", "path", "provider", "from", "dir", "token_env", "main"),
    fc.constantFrom("constructor", "toString", "hasOwnProperty", "a.b", ""),
    fc.string(),
  );
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      fc.oneof(
        fc.string(),
        fc.constantFrom("http://h", "postgres://h/n", "ses", "file", "a@h", "TOKEN", "/srv/.env"),
        fc.double(),
        fc.integer(),
        fc.boolean(),
        fc.date({ noInvalidDate: true, min: new Date(0), max: new Date("9999-12-31") }),
      ),
      fc.array(tie("value"), { maxLength: 3 }),
      fc.dictionary(key, tie("value"), { maxKeys: 5 }),
    ),
  }));
  const table = fc.dictionary(key, value, { maxKeys: 5 });

  test("a table is settings or faults in one line each, and never an exception", () => {
    fc.assert(
      fc.property(table, (given) => {
        const parsed = parseConfig(stringify(given), AROUND);
        if (parsed.ok) return;
        expect(parsed.faults.length).toBeGreaterThan(0);
        for (const fault of parsed.faults) expect(fault).toMatch(/^.*: \S/);
      }),
    );
  });

  test("so is any text", () => {
    const line = fc.oneof(
      fc.string(),
      fc.constantFrom(
        "[engine]",
        "[sources.a]",
        "[[db]]",
        'base_url = "http://h"',
        "a.b = 1",
        '"""',
      ),
    );
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        const parsed = parseConfig(lines.join("\n"), AROUND);
        if (!parsed.ok) expect(parsed.faults.length).toBeGreaterThan(0);
      }),
    );
  });

  test("what is right stays right beside any other fault", () => {
    fc.assert(
      fc.property(value, (given) => {
        const faults = faultsOf(
          stringify({ zzz: given, engine: { base_url: "http://h" }, email: { from: "a@h.org" } }),
        );
        expect(faults).toHaveLength(1);
        expect(faults[0]).toMatch(/^zzz: unknown key/);
      }),
    );
  });
});
