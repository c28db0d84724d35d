import { InvalidArgumentError } from "commander";
import fc from "fast-check";
import { expect, test } from "vitest";
import { parseCount } from "../../src/cli/event_list.ts";
import { renderTable, renderTime } from "../../src/cli/output.ts";
import { readParams } from "../../src/cli/param_option.ts";
import { parseTeamName } from "../../src/cli/team_set.ts";
import { parseDb } from "../../src/config/db.ts";
import { resolveParams } from "../../src/core/params.ts";
import { parseRetryAfter } from "../../src/text/http_date.ts";
import { parseUtc } from "../../src/text/utc.ts";
import { alarmWith } from "../support/alarm_with.ts";
import { BARE } from "../support/login.ts";
import { anyJson, anyText, ONE_LINE } from "./arbitraries.ts";
import { runs } from "./runs.ts";

/** What it gives, or undefined where it refuses as commander shows it. */
function refusing<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (error instanceof InvalidArgumentError) {
      expect(error.message).toMatch(ONE_LINE);
      return undefined;
    }
    throw error;
  }
}

const TYPES = ["number", "integer", "string", "boolean", "list"] as const;

test("name=value is that value as the parameter's type reads it, or is refused", () => {
  const name = anyText.filter((text) => text !== "" && !text.includes("="));
  const value = fc.oneof(
    anyText,
    anyJson.map((json) => JSON.stringify(json)),
  );
  fc.assert(
    fc.property(name, value, fc.constantFrom(...TYPES), (key, text, type) => {
      const alarm = alarmWith({ [key]: { type, description: "" } });
      const given = refusing(() => readParams(alarm, { param: [`${key}=${text}`] }));
      if (given === undefined) {
        expect(type).not.toBe("string");
        return;
      }
      expect(Object.keys(given)).toEqual([key]);
      if (type === "string") expect(given[key]).toBe(text);
      else expect(JSON.stringify(given[key])).toBe(JSON.stringify(JSON.parse(text)));
      expect(resolveParams(alarm.module.params, given).faults).toEqual([]);
    }),
    runs(5),
  );
  fc.assert(
    fc.property(fc.array(anyText), fc.array(anyText), (texts, unset) => {
      const given = refusing(() => readParams(alarmWith({}), { param: texts }, unset));
      expect(given).toEqual(texts.length + unset.length === 0 ? {} : undefined);
    }),
    runs(3),
  );
});

const numberText = fc.oneof(
  anyText,
  fc.maxSafeInteger().map(String),
  fc.double().map(String),
  fc.constantFrom("1e3", "0x10", " 7 ", "", "1_000", "-0", "Infinity", "9".repeat(400)),
);

test("a count is a whole number as it is written, or is refused", () => {
  fc.assert(
    fc.property(numberText, (text) => {
      const count = refusing(() => parseCount(text));
      if (count === undefined) return;
      expect(String(count)).toBe(text.replace(/^0+(?=\d)/, ""));
      // The database takes it as an integer of its own.
      expect(count).toBeLessThan(2 ** 31);
    }),
    runs(5),
  );
});

test("a team's name is one word, or is refused", () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const name = refusing(() => parseTeamName(text));
      if (name !== undefined) expect(name).toMatch(/^@[^\s,;@]+$/u);
    }),
    runs(5),
  );
});

test("a wait that a service asks for is a number of seconds, or none", () => {
  const header = fc.oneof(
    numberText,
    fc.date({ noInvalidDate: true }).map((date) => date.toUTCString()),
    anyText.map((text) => `Fri, ${text}`),
  );
  fc.assert(
    fc.property(fc.option(header, { nil: undefined }), (text) => {
      const wait = parseRetryAfter(text, 1_700_000_000);
      expect(wait === undefined || wait >= 0).toBe(true);
    }),
    runs(5),
  );
});

test("a dotenv text is a login or a fault in one line, and never shows the password", () => {
  const secret = "hunter2swordfish";
  const line = fc.oneof(
    anyText.filter((text) => !text.includes(secret)),
    fc.constantFrom(
      "DB_NAME=n",
      "SWF_REMOTE_DB_NAME='m'",
      "DB_PORT=5432",
      "DB_PORT=x",
      "DB_PORT=99999",
    ),
    fc.constantFrom(
      `DB_PASSWORD=${secret}`,
      `export DB_PASSWORD="${secret}"`,
      "DB_HOST=",
      "DB_USER=\u001b",
    ),
    anyText.map((text) => `DB_PORT="${text}"`),
  );
  fc.assert(
    fc.property(fc.option(fc.array(line), { nil: undefined }), (lines) => {
      const faults: string[] = [];
      const readText = () => lines?.join("\n") ?? "";
      const db = parseDb({ env_path: "/srv/.env" }, { ...BARE, readText }, faults);
      for (const fault of faults) expect(fault).toMatch(ONE_LINE);
      expect(faults.join()).not.toContain(secret);
      if (faults.length > 0 || db?.kind !== "server") return;
      const { port, host, database, user } = db.login;
      expect(port > 0 && port < 65_536).toBe(true);
      for (const text of [host, database, user]) expect(text).not.toBe("");
    }),
    runs(5),
  );
});

test("any cells make a table of single lines, and any number a time", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(anyText, anyText)), (rows) => {
      const lines = renderTable(["A", "B"], rows, "none");
      expect(lines).toHaveLength(rows.length === 0 ? 1 : rows.length + 1);
      for (const text of lines) expect(text).not.toMatch(/\n/);
    }),
    runs(2),
  );
  fc.assert(
    fc.property(fc.double(), (seconds) => {
      expect(renderTime(seconds)).toMatch(
        /^(an unknown time|[+-]?(\d{4}|\d{6})-\d\d-\d\d \d\d:\d\d:\d\d UTC)$/,
      );
    }),
    runs(5),
  );
});

test("a time of a service is a number of seconds, or none", () => {
  const near = fc
    .tuple(fc.date({ noInvalidDate: true }), anyText, fc.nat(24))
    .map(([date, text, place]) => {
      const iso = date.toISOString();
      return iso.slice(0, place) + text.slice(0, 2) + iso.slice(place);
    });
  fc.assert(
    fc.property(fc.oneof(anyText, near, anyJson), (text) => {
      const seconds = parseUtc(text);
      expect(seconds === undefined || Number.isFinite(seconds)).toBe(true);
    }),
    runs(5),
  );
});
