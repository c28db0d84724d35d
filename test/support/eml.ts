import { createRequire } from "node:module";

/** A mail as a mail program reads it. */
export interface ReadMail {
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly date: Date | undefined;
  readonly text: string;
  readonly html: string;
  /** Names of all headers, in order, lower case. */
  readonly headers: readonly string[];
  readonly attachments: number;
}

/** A parser that is not the composer's own; it comes with the SES endpoint's package, without types. */
const mailparser: unknown = createRequire(import.meta.url)("mailparser");

/** Parses an `.eml` text. */
export async function readEml(eml: string): Promise<ReadMail> {
  if (!isParser(mailparser)) throw new Error("mailparser exports no simpleParser");
  const mail = await mailparser.simpleParser(eml);
  const addresses = (field: unknown): string[] =>
    list(get(field, "value")).map((item) => String(get(item, "address")));
  const date = get(mail, "date");
  return {
    from: addresses(get(mail, "from")).join(),
    to: addresses(get(mail, "to")),
    subject: String(get(mail, "subject")),
    date: date instanceof Date ? date : undefined,
    text: String(get(mail, "text")),
    html: String(get(mail, "html")),
    headers: list(get(mail, "headerLines")).map((line) => String(get(line, "key"))),
    attachments: list(get(mail, "attachments")).length,
  };
}

interface Parser {
  readonly simpleParser: (eml: string, options?: object) => Promise<unknown>;
}

function isParser(value: unknown): value is Parser {
  return (
    typeof value === "object" &&
    value !== null &&
    "simpleParser" in value &&
    typeof value.simpleParser === "function"
  );
}

function get(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
