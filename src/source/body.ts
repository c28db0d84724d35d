import { isUtf8 } from "node:buffer";
import { pipeline, type Readable, type Transform } from "node:stream";
import { TextDecoder } from "node:util";
import { createBrotliDecompress, createGunzip, createInflate } from "node:zlib";
import { errorText, quote } from "../text/describe.ts";
import type { ReplyHeaders } from "./connections.ts";

/** A body that came and is of no use; the message is the reason. */
export class BodyError extends Error {}

/** The whole body, a text, in UTF-8. Throws BodyFault, or what broke the connection. */
export async function readBody(
  body: Readable,
  headers: ReplyHeaders,
  limit: number,
): Promise<Buffer> {
  const { bytes, whole } = await readBytes(body, headers, limit);
  if (!whole) throw new BodyError(`the body is larger than ${Math.round(limit / 2 ** 20)} MiB`);
  const charset = charsetOf(headers);
  const decoder = decoderFor(charset);
  if (decoder === undefined)
    throw new BodyError(`the body's charset is ${quote(charset)}, which is not known`);
  // Read leniently, wrong letters would become part of the names of entities.
  const text = decoder.encoding === "utf-8" ? plainUtf8(bytes) : decoded(bytes, decoder);
  if (text === undefined) throw new BodyError(`the body is not valid ${decoder.encoding} text`);
  return text;
}

/** Most bodies are UTF-8 already; those are only looked at. */
function plainUtf8(bytes: Buffer): Buffer | undefined {
  if (!isUtf8(bytes)) return undefined;
  return bytes.subarray(0, MARK.length).equals(MARK) ? bytes.subarray(MARK.length) : bytes;
}

const MARK = Buffer.from("\ufeff");

function decoded(bytes: Buffer, decoder: TextDecoder): Buffer | undefined {
  try {
    return Buffer.from(decoder.decode(bytes));
  } catch {
    return undefined;
  }
}

/** What an error message quotes of a body: as far as it can be read. */
export async function readBeginning(body: Readable, headers: ReplyHeaders): Promise<string> {
  try {
    const { bytes } = await readBytes(body, headers, QUOTABLE);
    return bytes.toString("utf8");
  } catch (error) {
    if (error instanceof BodyError) return "";
    throw error;
  }
}

const QUOTABLE = 16 * 2 ** 10;

async function readBytes(
  body: Readable,
  headers: ReplyHeaders,
  limit: number,
): Promise<{ bytes: Buffer; whole: boolean }> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of unpack(body, headers)) {
      if (!(chunk instanceof Uint8Array)) throw new TypeError("a body chunk is not bytes");
      size += chunk.length;
      chunks.push(chunk);
      // Leaving the loop destroys the stream, so that the rest is neither read nor unpacked.
      if (size > limit) break;
    }
  } catch (error) {
    if (!isUnpackError(error)) throw error;
    throw new BodyError(`the packed body cannot be unpacked: ${errorText(error)}`);
  }
  return { bytes: Buffer.concat(chunks), whole: size <= limit };
}

/** From zlib and from brotli, rather than from the connection. */
function isUnpackError(error: unknown): boolean {
  if (!(error instanceof Error) || !("code" in error)) return false;
  return /^(Z_|ERR__ERROR_)/.test(String(error.code));
}

function unpack(body: Readable, headers: ReplyHeaders): AsyncIterable<unknown> {
  const encoding = [headers["content-encoding"] ?? ""].flat().join(", ");
  switch (encoding.toLowerCase()) {
    case "":
    case "identity":
      return body;
    case "gzip":
    case "x-gzip":
      return through(body, createGunzip());
    case "deflate":
      return through(body, createInflate());
    case "br":
      return through(body, createBrotliDecompress());
    default:
      // What cannot be read is not waited for; that it ends early is then no news.
      body.on("error", () => {});
      body.destroy();
      throw new BodyError(`the body is packed with ${quote(encoding)}, which was not asked for`);
  }
}

/** A broken body ends the unpacked stream with its error, and leaving that stream ends the body. */
function through(body: Readable, unpacker: Transform): Readable {
  pipeline(body, unpacker, () => {});
  return unpacker;
}

/** JSON is UTF-8 unless the service says otherwise. */
function charsetOf(headers: ReplyHeaders): string {
  const type = [headers["content-type"] ?? ""].flat().join(", ");
  return /;\s*charset\s*=\s*"?([^\s";,]+)/i.exec(type)?.[1] ?? "utf-8";
}

/** Undefined for a charset that nobody knows. A byte order mark is no part of the text. */
function decoderFor(charset: string): TextDecoder | undefined {
  try {
    return new TextDecoder(charset, { fatal: true });
  } catch {
    return undefined;
  }
}
