import { readFileSync, writeFileSync } from "node:fs";
import { expect, onTestFinished, test } from "vitest";
import { busySite } from "../support/busy_site.ts";
import { json, startServer } from "../support/http_server.ts";
import type { ProcessResult } from "../support/process.ts";
import { dump, insertAlarm } from "../support/rows.ts";
import { makeSite, type Site } from "../support/site.ts";

/** One secret for each place that the engine knows one from; a part of each that no spelling changes. */
const SECRETS = {
  password: { value: 'Pa55"w&rd/hunter2', mark: "hunter2" },
  token: { value: "tok-51aa.b+c/d=", mark: "51aa" },
  login: { value: 'pw-33ee:b/å" d', mark: "33ee" },
  header: { value: "hdr-77bb-value", mark: "77bb" },
  aws: { value: "aws/88cc+secretaccesskey", mark: "88cc" },
  session: { value: "aws-session-99dd-token", mark: "99dd" },
} as const;

const ENV = {
  ECHO_TOKEN: SECRETS.token.value,
  ECHO_LOGIN: `ånn:${SECRETS.login.value}`,
  AWS_SECRET_ACCESS_KEY: SECRETS.aws.value,
  AWS_SESSION_TOKEN: SECRETS.session.value,
};

/** What may never be seen: the marks, and the secrets in base64. */
const FORBIDDEN = [
  Buffer.from(ENV.ECHO_LOGIN).toString("base64").slice(4, 20),
  ...Object.values(SECRETS).map(({ mark }) => mark),
  ...Object.values(SECRETS).map(({ value }) => Buffer.from(value).toString("base64").slice(0, 10)),
];

function expectClean(text: string, where: string): void {
  for (const secret of FORBIDDEN) {
    const at = text.indexOf(secret);
    expect.soft(at < 0 ? "" : text.slice(Math.max(0, at - 80), at + 40), where).toBe("");
  }
}

/** A service that says everything that it was sent, in the way that the path names. */
async function startEcho(): Promise<string> {
  const server = await startServer((request, response, url) => {
    const { authorization = "", "x-api-key": key = "" } = request.headers;
    const isLogin = authorization.startsWith("Basic ");
    const login = isLogin ? ENV.ECHO_LOGIN : `u:${SECRETS.token.value}`;
    const plain = isLogin ? `${login} ${SECRETS.login.value}` : "";
    const said = `${authorization} ${key} ${encodeURIComponent(authorization)} ${Buffer.from(login).toString("base64")} ${plain}`;
    if (url.pathname === "/items")
      return json(response, { items: [{ said }], has_more: false, next_before_id: null });
    if (url.pathname === "/moved")
      response.writeHead(302, {
        location: `http://x.example/?t=${encodeURIComponent(authorization)}`,
      });
    else if (url.pathname === "/page") response.writeHead(200, { "content-type": "text/html" });
    else response.writeHead(400);
    response.end(`<title>${said}</title>`);
  });
  onTestFinished(() => server.close());
  return server.url;
}

/** Every way in which a module can come by what the service says, and show it. */
const MODULES = {
  yields: `export async function* detect(client) {
    for await (const { said } of client.source("echo").pages("/items"))
      yield { dedupeKey: "k " + said, subject: said, body: "b " + said, data: { [said]: [said] } };
  }`,
  remembers: `export async function* detect(client) {
    const { body } = await client.source("echo").request("/error", { scope: "echo:" });
    client.remember({ body, known: await client.firingEvents(), before: await client.previous() });
    client.incomplete(body, "k " + body);
    yield { dedupeKey: "quiet", subject: "quiet", data: { text: JSON.stringify({ body }) } };
  }`,
  fails: `export async function* detect(client) { await client.source("echo").get("/error"); }`,
  moved: `export async function* detect(client) { await client.source("echo").get("/moved"); }`,
  page: `export async function* detect(client) { await client.source("echo").get("/page"); }`,
  throws: `export async function* detect(client) {
    for await (const { said } of client.source("echo").pages("/items")) {
      client.log(said); console.log(said); console.error(new Error(said));
      client.incomplete(said);
      throw new TypeError("at " + said, { cause: new Error(said) });
    }
  }`,
  strays: `export async function* detect(client) {
    for await (const { said } of client.source("echo").pages("/items")) {
      Promise.reject(new Error(said));
      yield { dedupeKey: "quiet", subject: "quiet" };
    }
  }`,
} as const;

/** A site whose database, service and mail are all behind secrets. */
async function secretSite(): Promise<Site> {
  const site = await makeSite();
  const echo = await startEcho();
  const role = `secret_${(site.dsn ?? "").slice(-12)}`;
  await site.query(`CREATE ROLE ${role} LOGIN PASSWORD '${SECRETS.password.value}'`);
  await site.query(`GRANT ALL ON ALL TABLES IN SCHEMA public TO ${role}`);
  onTestFinished(async () => {
    await site.query(`DROP OWNED BY ${role}`);
    await site.query(`DROP ROLE ${role}`);
  });
  const dsn = new URL(site.dsn ?? "");
  dsn.username = role;
  dsn.password = encodeURIComponent(SECRETS.password.value);
  site.configure({
    dsn: dsn.href,
    baseUrl: echo,
    engine: `login_env = "ECHO_LOGIN"\nheaders = { "X-Api-Key" = "${SECRETS.header.value}" }`,
    more: `[sources.echo]\nbase_url = "${echo}"\ntoken_env = "ECHO_TOKEN"\nheaders = { "X-Api-Key" = "${SECRETS.header.value}" }`,
  });
  for (const [name, text] of Object.entries(MODULES)) {
    site.module(`${name}.js`, `export const SOURCES = ["echo"];\n${text}`);
    await insertAlarm(site, name);
    // The same of the main service, which gets a login.
    site.module(`${name}_main.js`, text.replaceAll('.source("echo")', ""));
    await insertAlarm(site, `${name}_main`);
  }
  return site;
}

test("what a service repeats of the engine's secrets reaches no output, log, row or mail", async () => {
  const site = await secretSite();
  const command = (...args: string[]): Promise<ProcessResult> => site.command(args, { env: ENV });
  const plan = await command("run", "--plan");
  // The secrets were there to be shown.
  expect(plan.stdout).toContain("[redacted]");
  expect(plan.stdout).toContain("open   k Bearer [redacted]");
  expect(plan.stdout).toContain("open   k Basic [redacted]");
  for (const args of [
    ["run", "--plan", "--json"],
    ["run", "-v"],
    ["run"],
    ["alarm", "try", "yields"],
    ["alarm", "try", "yields", "--json"],
    ["alarm", "try", "remembers"],
    ["alarm", "try", "remembers", "--json"],
    ["alarm", "try", "throws"],
    ["alarm", "try", "throws_main"],
    ["status"],
    ["alarm", "list"],
    ["alarm", "show", "yields", "--json"],
    ["event", "list", "--json"],
    ["run", "list"],
    ["run", "list", "--json"],
    ["team", "list"],
    ["migrate", "--json"],
  ]) {
    const { stdout, stderr } = await command(...args);
    expectClean(stdout, `stdout of ${args.join(" ")}`);
    expectClean(stderr, `stderr of ${args.join(" ")}`);
  }
  expect(site.log()).toContain("[redacted]");
  expectClean(site.log(), "the log");
  expectClean(await site.withDatabase(dump), "the rows");
  expect(site.mail.mails.length).toBeGreaterThan(0);
  for (const mail of site.mail.mails) expectClean(JSON.stringify(mail), "a mail");
}, 120_000);

test("what the mail service repeats of the credentials reaches no output, log or row", async () => {
  const site = await busySite({});
  site.mail.refuse = () => (response) => {
    const said = `${SECRETS.aws.value} ${SECRETS.session.value} ${Buffer.from(SECRETS.aws.value).toString("base64")}`;
    response.writeHead(403, { "content-type": "text/xml" });
    response.end(
      `<ErrorResponse xmlns="http://ses.amazonaws.com/doc/2010-12-01/"><Error><Type>Sender</Type><Code>SignatureDoesNotMatch</Code><Message>${said}</Message></Error></ErrorResponse>`,
    );
  };
  const result = await site.command(["run", "-v"], { env: ENV });
  // The second one makes an event of it.
  await site.command(["run", "-v"], { env: ENV });
  expect(result).toMatchObject({ code: 1 });
  expect(result.stderr).toContain("SignatureDoesNotMatch: [redacted]");
  const [{ data } = { data: {} }] = await site.entries("notification");
  expect(JSON.stringify(data)).toContain("SignatureDoesNotMatch: [redacted]");
  for (const text of [result.stdout, result.stderr, site.log(), await site.withDatabase(dump)]) {
    expectClean(text, "SES");
  }
});

test.for([
  ["wrong", (dsn: URL) => dsn],
  ["sent where nobody listens", (dsn: URL) => Object.assign(dsn, { port: "9" })],
  [
    "sent to a host that is not there",
    (dsn: URL) => Object.assign(dsn, { hostname: "no-such-host.invalid" }),
  ],
  [
    "sent to a server without TLS",
    (dsn: URL) => Object.assign(dsn, { search: "?sslmode=verify-full" }),
  ],
  [
    "given in the query",
    (dsn: URL) => Object.assign(dsn, { search: `?password=${dsn.password}`, password: "" }),
  ],
] as const)("a database password that is %s is not shown", async ([, change]) => {
  const site = await busySite({});
  for (const typed of [encodeURIComponent(SECRETS.password.value), "hunter2@x"]) {
    const dsn = new URL(site.dsn ?? "");
    dsn.password = typed;
    site.configure({ dsn: change(dsn).href });
    for (const args of [["run", "-v"], ["run", "--plan"], ["migrate"], ["event", "list"]]) {
      const { code, stdout, stderr } = await site.command(args);
      expect(code).toBe(2);
      expectClean(stdout + stderr, args.join(" "));
    }
  }
  expectClean(site.log(), "the log");
});

test("a configuration with faults does not show what it holds", async () => {
  const site = await busySite({});
  const text = readFileSync(site.config, "utf8");
  for (const [key, value] of [
    ["dsn", "mysql://u:hunter2@h/d"],
    ["dsn", "hunter2"],
    ["password", "hunter2"],
    ["dns", "postgresql://u:hunter2@h/d"],
  ]) {
    site.configure({ more: `[sources.x]\nbase_url = "https://u:hunter2@x.example"\n` });
    const { stdout, stderr } = await site.command(["run"]);
    expectClean(stdout + stderr, "sources");
    site.configure({ more: "" });
    const broken = text.replace(/^dsn = .*$/m, `${key} = "${value}"`);
    expect(broken).toContain("hunter2");
    const { code, stderr: said } = await writeAndRun(site, broken);
    expect(code).toBe(2);
    expectClean(said, `${key} = ${value}`);
  }
  for (const broken of [`${text}\n[db`, text.replace(/^dsn = "/m, 'dsn = "hunter2\n')]) {
    const { code, stderr } = await writeAndRun(site, broken);
    expect(code).toBe(2);
    expectClean(stderr, "a file that is no TOML");
  }
  expectClean(site.log(), "the log");
});

async function writeAndRun(site: Site, text: string): Promise<ProcessResult> {
  writeFileSync(site.config, text);
  return await site.command(["run"]);
}
