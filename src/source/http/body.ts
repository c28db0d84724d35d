import { isUtf8 } from "node:buffer";
import { pipeline, type Readable } from "node:stream";
import { createBrotliDecompress, createGunzip, createInflate } from "node:zlib";
import { errorText, quote } from "../../text/describe.ts";
import { BodyError } from "../fetch_error.ts";

export interface HttpResponse {
  readonly status: number;
  /** Names in lower case; a header that came more than once is a list. */
  readonly headers: { readonly [name: string]: string | string[] | undefined };
  /** Not decompressed. Read it to its end or destroy it: until then it occupies its connection. */
  readonly body: Readable;
}

/** Bytes, decompressed. A page of 200 tasks is about 0.25 MB. */
const MAX_BODY = 32 * 2 ** 20;
/** Bytes of the body that a failed request keeps. */
const BEGINNING = 16 * 2 ** 10;
const BYTE_ORDER_MARK = Buffer.from("\ufeff");

/** The whole body, UTF-8. Throws BodyError, or the error of the connection. */
export async function readBody(response: HttpResponse): Promise<Buffer> {
  const bytes = await readBytes(response, MAX_BODY);
  if (bytes.length > MAX_BODY) throw new BodyError(`the body is over ${MAX_BODY / 2 ** 20} MiB`);
  // Replaced characters would become part of the names of entities.
  if (!isUtf8(bytes)) throw new BodyError("the body is not valid UTF-8");
  const { length } = BYTE_ORDER_MARK;
  return bytes.subarray(0, length).equals(BYTE_ORDER_MARK) ? bytes.subarray(length) : bytes;
}

/** The beginning of an error's body. */
export async function readBeginning(response: HttpResponse): Promise<string> {
  try {
    return beginningOf(await readBytes(response, BEGINNING));
  } catch (error) {
    if (error instanceof BodyError) return "";
    throw error;
  }
}

/** As much of a body as a failed request keeps. */
export function beginningOf(body: Buffer): string {
  return body.toString("utf8", 0, BEGINNING);
}

/** The decompressed body; of one that is over the limit a little more than that. */
async function readBytes(response: HttpResponse, limit: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of decompress(response)) {
      if (!(chunk instanceof Uint8Array)) throw new TypeError("a body chunk is not bytes");
      size += chunk.length;
      chunks.push(chunk);
      // Leaving the loop destroys the stream: the rest is neither received nor decompressed.
      if (size > limit) break;
    }
  } catch (error) {
    if (!isZlibError(error)) throw error;
    throw new BodyError(`the body cannot be decompressed: ${errorText(error)}`);
  }
  return Buffer.concat(chunks);
}

function isZlibError(error: unknown): boolean {
  return error instanceof Error && "code" in error && /^(Z_|ERR__ERROR_)/.test(String(error.code));
}

const DECOMPRESSORS = new Map([
  ["gzip", createGunzip],
  ["deflate", createInflate],
  ["br", createBrotliDecompress],
]);

function decompress({ headers, body }: HttpResponse): Readable {
  const encoding = String(headers["content-encoding"] ?? "identity").toLowerCase();
  if (encoding === "identity") return body;
  const create = DECOMPRESSORS.get(encoding);
  if (create !== undefined) return pipeline(body, create(), () => {});
  body.destroy();
  throw new BodyError(`the body is compressed with ${quote(encoding)}; use gzip, deflate or br`);
}
