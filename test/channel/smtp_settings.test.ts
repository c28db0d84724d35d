import { describe, expect, test } from "vitest";
import { smtp } from "../../src/channel/smtp.ts";
import type { SettingsPlace } from "../../src/config/config.ts";
import { BARE } from "../support/login.ts";
import { makeMail, PATIENTLY } from "../support/mails.ts";
import { built, runScript } from "../support/script.ts";

const BASIC = { smtp_host: "mail.example.org", from: "alarms@host.example" };
const LOGIN = { user: "ann", password_env: "MAIL_PASSWORD" };

function configure(settings: object) {
  const around = { ...BARE, env: { MAIL_PASSWORD: "s3cret-pass" }, channelFaults: () => [] };
  const place: SettingsPlace = { path: ["email"], around, faults: [] };
  return { opener: smtp.configure(settings, place), faults: place.faults };
}

describe("settings that are right", () => {
  test.each<readonly [string, object]>([
    ["a plain relay", BASIC],
    ["the names of the Python engine", { ...BASIC, smtp_port: 25, smtp_timeout: 20 }],
    ["its other names", { host: "mail.example.org", port: 587, timeout: 0x14, from: BASIC.from }],
    ["both names with one value", { ...BASIC, host: "mail.example.org" }],
    ["addresses", { ...BASIC, smtp_host: "2001:db8::1" }],
    ["a login", { ...BASIC, ...LOGIN }],
    ["a login over TLS from the start", { ...BASIC, ...LOGIN, tls: "implicit" }],
    ["a login in clear on this host", { ...BASIC, ...LOGIN, smtp_host: "::1", tls: "none" }],
    ["a login in clear on localhost", { ...BASIC, ...LOGIN, smtp_host: "localhost", tls: "none" }],
  ])("%s", (_, settings) => {
    const { opener, faults } = configure(settings);
    expect(faults).toEqual([]);
    expect(opener?.target).toBeUndefined();
  });

  test.each([
    ["25", {}, 25],
    ["465 with TLS from the start", { tls: "implicit" }, 465],
    ["the given one", { tls: "implicit", port: 26 }, 26],
  ])("the port is %s", async (_, more, port) => {
    const { opener } = configure({ ...BASIC, smtp_host: "mail.invalid", timeout: 1, ...more });
    const channel = await opener?.open(() => {});
    const delivery = await channel?.deliver(makeMail(), PATIENTLY);
    expect(delivery?.error?.message).toContain(`SMTP mail.invalid:${port}: `);
  });

  test("the password is a secret, in the forms of the commands that contain it too", () => {
    const base64 = (text: string) => Buffer.from(text).toString("base64");
    expect(configure({ ...BASIC, ...LOGIN }).opener?.secrets).toEqual([
      "s3cret-pass",
      base64("s3cret-pass"),
      base64("\0ann\0s3cret-pass"),
    ]);
  });
});

test("a configuration that names a mail server loads nodemailer only when the channel is opened", async () => {
  const table = { path: ["email"], settings: { ...BASIC, type: "smtp" } };
  const { stdout, stderr } = await runScript(
    `import { createRequire } from "node:module";
     const { readChannels } = await import(${JSON.stringify(built("channel/registry.js"))});
     const loaded = (name) =>
       Object.keys(createRequire(import.meta.url).cache).some((file) => file.includes("/node_modules/" + name + "/"));
     const tables = new Map([["email", ${JSON.stringify(table)}]]);
     const { opener } = readChannels({ tables, around: { folder: "/", env: {} } }).get("email");
     const before = loaded("nodemailer");
     await opener.open(() => {});
     console.log(before, loaded("nodemailer"), loaded("@aws-sdk/client-ses"));`,
  );
  expect({ stdout, stderr }).toEqual({ stdout: "false true false\n", stderr: "" });
});

describe("settings that are wrong are faults with what to write", () => {
  test.each<readonly [string, object, readonly (string | RegExp)[]]>([
    [
      "no server",
      { from: BASIC.from },
      [/^email\.smtp_host: missing; must be the name or address/],
    ],
    ["no sender", { smtp_host: "h" }, [/^email\.from: missing; must be an email address such as/]],
    [
      "two names with different values",
      { ...BASIC, host: "h", smtp_port: 25, port: 26, smtp_timeout: 1, timeout: 2 },
      [
        'email.smtp_host: "mail.example.org" differs from host, "h"; remove one of them',
        "email.smtp_port: 25 differs from port, 26; remove one of them",
        "email.smtp_timeout: 1 differs from timeout, 2; remove one of them",
      ],
    ],
    [
      "a server with a port, a login or a scheme",
      { ...BASIC, smtp_host: "ann:pw@mail.example.org:25", host: "smtp://mail.example.org" },
      [
        /^email\.smtp_host: must be the name or address .*; the value is not shown$/,
        /^email\.host: must be the name or address of a mail server/,
      ],
    ],
    [
      "a port or time out of range",
      { ...BASIC, smtp_port: 70_000, smtp_timeout: 0 },
      [
        "email.smtp_port: must be a port number from 1 to 65535; found 70000",
        "email.smtp_timeout: must be seconds from 1 to 600; found 0",
      ],
    ],
    [
      "an unknown word for tls",
      { ...BASIC, tls: "starttls" },
      ['email.tls: must be one of "required", "optional", "none", "implicit"; found "starttls"'],
    ],
    [
      "a user without a password",
      { ...BASIC, user: "ann" },
      [/^email\.user: needs a password; set/],
    ],
    [
      "a password without a user",
      { ...BASIC, password_env: "MAIL_PASSWORD" },
      [/^email\.user: missing; a password needs the user name/],
    ],
    [
      "a password that is not there",
      { ...BASIC, user: "ann", password_env: "OTHER" },
      [/^email\.password_env: the environment variable OTHER is not set/],
    ],
    [
      "a password in the file",
      { ...BASIC, user: "ann", password: "s3cret-pass" },
      [/^email\.password: unknown key/],
    ],
    ...["none", "optional"].map(
      (tls) =>
        [
          `a login with tls ${tls}`,
          { ...BASIC, ...LOGIN, tls },
          [
            new RegExp(
              `^email\\.tls: must be "required" or "implicit" with user, .* found "${tls}"$`,
            ),
          ],
        ] as const,
    ),
  ])("%s", (_, settings, expected) => {
    const { faults } = configure(settings);
    expect(faults).toEqual(expected.map((fault) => expect.stringMatching(fault)));
    expect(faults.join()).not.toContain("s3cret-pass");
  });
});
