import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Outgoing } from "../../src/channel/channel.ts";
import { fileChannel } from "../../src/channel/file.ts";
import type { Delivery } from "../../src/core/delivery.ts";
import { type ReadMail, readEml } from "../support/eml.ts";
import { addresses, delivered, makeMail, PATIENTLY } from "../support/mails.ts";
import { only } from "../support/raw_entries.ts";

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "swf-alarms-outbox-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

interface Delivered {
  readonly dir: string;
  readonly name: string;
  readonly mail: ReadMail;
  readonly delivery: Delivery;
}

/** Delivers one mail into a new outbox, and reads it back. */
async function deliver(
  more: Partial<Outgoing> = {},
  from = "alarms@host.example",
): Promise<Delivered> {
  const dir = join(mkdtempSync(join(root, "box-")), "made", "by", "need");
  const delivery = await fileChannel({ from, dir }).deliver(makeMail(more), PATIENTLY);
  const name = only(readdirSync(dir));
  const mail = await readEml(readFileSync(join(dir, name), "utf8"));
  return { dir, name, mail, delivery };
}

describe("the file channel", () => {
  test("writes a mail that a mail program reads back unchanged", async () => {
    const { mail, name, delivery } = await deliver({ recipients: addresses(2) });
    expect(mail).toMatchObject({
      from: "alarms@host.example",
      to: addresses(2),
      subject: makeMail().subject,
      date: new Date("2026-11-21T03:45:07Z"),
      text: makeMail().text,
      html: makeMail().html,
      attachments: 0,
    });
    expect(delivery).toEqual(delivered(addresses(2), [name]));
  });

  test("the name sorts by time and has the alarm; the file is private and complete", async () => {
    const { dir, name } = await deliver();
    expect(name).toMatch(/^2026-11-21T034507Z-alarm_x-[0-9a-f]{8}\.eml$/);
    expect((statSync(join(dir, name)).mode & 0o777).toString(8)).toBe("600");
  });

  test("a sender with a name", async () => {
    const { mail } = await deliver({}, "SWF Alarms <alarms@host.example>");
    expect(mail.from).toBe("alarms@host.example");
  });

  test("two mails of one alarm in one second are two files", async () => {
    const dir = join(root, "twice");
    const channel = fileChannel({ from: "a@host.example", dir });
    await Promise.all([
      channel.deliver(makeMail(), PATIENTLY),
      channel.deliver(makeMail(), PATIENTLY),
    ]);
    expect(readdirSync(dir)).toHaveLength(2);
  });

  const texts: readonly (readonly [string, string])[] = [
    ["lines that mail programs treat as special", "From me\n.\n..\n>From\n--=_boundary\n"],
    ["very long lines", `${"x".repeat(5_000)} ${"é".repeat(5_000)}\n`],
    ["equals signs and trailing blanks", "a=3D=20 b \t\n=\n  \nend\n"],
    ["other scripts", "é漢字😀 Ωשלום\n"],
    ["a hundred thousand lines", "one line of a bundle\n".repeat(100_000)],
  ];
  test.each(texts)("the text arrives as it is: %s", async (_sentence, text) => {
    expect((await deliver({ text })).mail.text).toBe(text);
  });

  test("a hundred and twenty recipients are one mail", async () => {
    expect((await deliver({ recipients: addresses(120) })).mail.to).toEqual(addresses(120));
  });

  test.each([
    ["a line break", "one\r\nBcc: thief@evil.example"],
    ["a bare line feed", "one\nBcc: thief@evil.example\n\nbody"],
    ["a bare carriage return", "one\rBcc: thief@evil.example"],
    ["an encoded line break", "=?utf-8?q?one=0D=0ABcc:_thief@evil.example?="],
  ])("a subject with %s adds no header", async (_sentence, subject) => {
    const { mail } = await deliver({ subject });
    expect(mail.headers.filter((name) => name === "subject")).toHaveLength(1);
    expect(mail.headers).not.toContain("bcc");
    expect(mail.text).toBe(makeMail().text);
    expect(mail.to).toEqual(["a@host.example"]);
  });

  test.each([
    ["of one long word", "x".repeat(300)],
    [
      "that begins with a long name",
      `[alarm_${"x".repeat(120)}] 1 detection(s), 1 new, 0 continuing`,
    ],
    ["of a long name in another script", `[alarm_${"é漢".repeat(60)}] 1 detection(s)`],
    ["of many words", "many short words ".repeat(20).trim()],
  ])(
    "a subject %s is not folded away from its header's name, and reads back",
    async (_, subject) => {
      const { dir, name, mail } = await deliver({ subject });
      expect(mail.subject).toBe(subject);
      const lines = readFileSync(join(dir, name), "utf8").split("\n");
      expect(only(lines.filter((line) => line.startsWith("Subject:")))).toMatch(/^Subject: \S/);
    },
  );

  test("a recipient with a line break adds no header", async () => {
    const { mail } = await deliver({ recipients: ["a@host.example\r\nBcc: thief@evil.example"] });
    expect(mail.headers).not.toContain("bcc");
  });

  test.each([
    ["../../../escape"],
    ["/etc/passwd"],
    ["..\\escape"],
    ["a\0b"],
    ["a\nb"],
    [".hidden"],
    ["é漢😀"],
    ["x".repeat(1_000)],
    [""],
  ])("an alarm named %j stays in its folder", async (alarm) => {
    const { dir, name } = await deliver({ alarm });
    expect(name).toMatch(/^2026-11-21T034507Z-[A-Za-z0-9_-]{0,100}-[0-9a-f]{8}\.eml$/);
    expect(existsSync(join(dir, name))).toBe(true);
  });

  test.each([
    ["there is a file in the place of the folder", "", "ENOTDIR|EEXIST"],
    ["its parent is a file", "below", "ENOTDIR"],
  ])("%s: an error that names the path, and nothing is left", async (_sentence, below, code) => {
    const file = join(mkdtempSync(join(root, "taken-")), "file");
    writeFileSync(file, "kept");
    const dir = join(file, below);
    const channel = fileChannel({ from: "a@host.example", dir });
    expect(await channel.deliver(makeMail(), PATIENTLY)).toEqual({
      confirmed: [],
      refused: [],
      pending: makeMail().recipients,
      messageIds: [],
      error: {
        message: expect.stringMatching(new RegExp(`^cannot write ${dir}/.*\\.eml: .*(${code})`)),
        retryable: false,
        scope: "channel",
        mayBeDelivered: false,
      },
    });
    expect(readFileSync(file, "utf8")).toBe("kept");
  });

  test("once the folder can be made, the next attempt goes through", async () => {
    const dir = join(root, "later");
    writeFileSync(dir, "");
    const channel = fileChannel({ from: "a@host.example", dir });
    expect((await channel.deliver(makeMail(), PATIENTLY)).confirmed).toEqual([]);
    rmSync(dir);
    expect((await channel.deliver(makeMail(), PATIENTLY)).confirmed).toHaveLength(1);
  });

  test("other files in the folder stay", async () => {
    const dir = join(root, "shared");
    mkdirSync(dir);
    writeFileSync(join(dir, "note.txt"), "mine");
    const channel = fileChannel({ from: "a@host.example", dir });
    await channel.deliver(makeMail(), PATIENTLY);
    expect(readdirSync(dir).filter((name) => !name.endsWith(".eml"))).toEqual(["note.txt"]);
  });
});
