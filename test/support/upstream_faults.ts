import { brotliCompressSync, gzipSync } from "node:zlib";
import {
  answer,
  dribble,
  type FaultyOptions,
  type Misbehave,
  pour,
  send,
  sendAndClose,
  sendAndReset,
} from "./faulty_server.ts";

/** A way in which a service can fail, and the message about it. */
export interface UpstreamFault {
  readonly name: string;
  readonly misbehave: Misbehave;
  readonly says: RegExp;
  /** Attempts that are made. */
  readonly tries: number;
  readonly options?: FaultyOptions;
}

const LIST = JSON.stringify({ items: [], has_more: false, next_before_id: null });
const HEAD = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
const LATE = /no response within 1 s/;
const BROKE = /connection closed before the response was complete: .*, 4 attempts/;
const LENGTHS = /the body length does not match content-length: .*, 4 attempts/;
const NOT_HTTP = /the response is not HTTP/;
const PACKED = gzipSync(JSON.stringify({ items: [], more: "x".repeat(5_000) + Math.random() }));

function fault(
  name: string,
  misbehave: Misbehave,
  says: RegExp,
  tries = 1,
  options?: FaultyOptions,
): UpstreamFault {
  return { name, misbehave, says, tries, ...(options === undefined ? {} : { options }) };
}

function json(value: unknown): Misbehave {
  return send(answer(JSON.stringify(value)));
}

function packed(bytes: Buffer, encoding = "gzip"): Misbehave {
  return send(answer(bytes, { "content-encoding": encoding }));
}

/** Responses that take for ever. */
const SLOW: readonly UpstreamFault[] = [
  fault("never answers", () => {}, LATE),
  fault("dribbles its header", dribble(`${HEAD}x-slow: `, "x"), LATE),
  fault("dribbles its body", dribble(`${HEAD}content-length: 99999\r\n\r\n[`, " "), LATE),
  fault(
    "dribbles its chunks",
    dribble(`${HEAD}transfer-encoding: chunked\r\n\r\n`, "1\r\n \r\n"),
    LATE,
  ),
  fault(
    "dribbles a packed body",
    dribble(`${HEAD}content-encoding: gzip\r\ncontent-length: 99999\r\n\r\n\x1f`, ""),
    LATE,
  ),
  fault("dribbles the body of an error", dribble("HTTP/1.1 500 Oops\r\n\r\n", "x"), LATE),
  fault("sends blank lines instead of an answer", dribble("", "\r\n"), LATE),
  fault("says 102 for ever", dribble("", "HTTP/1.1 102 Processing\r\n\r\n"), LATE),
  fault("pours 103s", pour("", "HTTP/1.1 103 Early Hints\r\nlink: <x>\r\n\r\n".repeat(100)), LATE),
  fault("says 100 for ever", dribble("", "HTTP/1.1 100 Continue\r\n\r\n"), NOT_HTTP),
];

/** Connections that break, and what is not HTTP. */
const BROKEN: readonly UpstreamFault[] = [
  fault("resets before it answers", sendAndReset(""), BROKE, 4),
  fault("closes before it answers", sendAndClose(""), BROKE, 4),
  fault("resets who connects", () => {}, BROKE, 0, { onConnect: sendAndReset("") }),
  fault(
    "resets in the middle of the body",
    sendAndReset(`${HEAD}content-length: 500\r\n\r\n{"items": [`),
    BROKE,
    4,
  ),
  fault(
    "sends less than its content-length",
    sendAndClose(`${HEAD}content-length: 500\r\n\r\n${LIST}`),
    /(connection closed|content-length).*, 4 attempts/,
    4,
  ),
  fault(
    "sends more than its content-length",
    sendAndClose(`${HEAD}content-length: 12\r\n\r\n${LIST}`),
    /not JSON: \{"items":\[\],$/,
  ),
  fault(
    "leaves out the last chunk",
    sendAndClose(
      `${HEAD}transfer-encoding: chunked\r\n\r\n${LIST.length.toString(16)}\r\n${LIST}\r\n`,
    ),
    BROKE,
    4,
  ),
  fault(
    "leaves out the last chunk after it said that it would close",
    sendAndClose(`${HEAD}connection: close\r\ntransfer-encoding: chunked\r\n\r\n2\r\n[]\r\n`),
    BROKE,
    4,
  ),
  fault(
    "sends less than its content-length after it said that it would close",
    sendAndClose(`${HEAD}connection: close\r\ncontent-length: 500\r\n\r\n${LIST}`),
    LENGTHS,
    4,
  ),
  fault(
    "sends a chunk of no size",
    send(`${HEAD}transfer-encoding: chunked\r\n\r\nzz\r\n`),
    NOT_HTTP,
  ),
  fault(
    "gives two lengths",
    send(`${HEAD}content-length: 2\r\ncontent-length: 3\r\n\r\n[]]`),
    LENGTHS,
    4,
  ),
  fault(
    "gives a length and chunks",
    send(`${HEAD}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\n[]\r\n0\r\n\r\n`),
    LENGTHS,
    4,
  ),
  fault("speaks HTTP/0.9", sendAndClose(LIST), NOT_HTTP),
  fault("speaks SSH", () => {}, /HTTP|connection closed/, 0, {
    onConnect: send("SSH-2.0-OpenSSH_9.2\r\n"),
  }),
  fault("speaks TLS", send(Buffer.from("15030300020250", "hex")), NOT_HTTP),
  fault("sends an invalid status", send("HTTP/1.1 abc Fine\r\n\r\n"), NOT_HTTP),
  fault("switches protocols", send("HTTP/1.1 101 Fine\r\nupgrade: x\r\n\r\n"), NOT_HTTP),
  fault(
    "switches protocols as HTTP wants it",
    send("HTTP/1.1 101 Fine\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n"),
    NOT_HTTP,
  ),
  fault("sends a NUL in its header", send(`${HEAD}x: a\0b\r\n\r\n${LIST}`), NOT_HTTP),
  fault(
    "sends a header of a megabyte",
    send(`${HEAD}x: ${"x".repeat(2 ** 20)}\r\n\r\n`),
    /header is too large/,
  ),
  fault("sends headers without end", pour(HEAD, "x: y\r\n".repeat(1_000)), /header is too large/),
  fault(
    "sends a status line without end",
    pour("HTTP/1.1 200 ", "x".repeat(10_000)),
    /header is too large|no response within 1 s/,
  ),
  fault(
    "sends trailers without end",
    pour(`${HEAD}transfer-encoding: chunked\r\n\r\n2\r\n[]\r\n0\r\n`, "x: y\r\n".repeat(1_000)),
    /header is too large|no response within 1 s/,
  ),
];

/** Bodies that are not text, or not UTF-8. */
const UNREADABLE: readonly UpstreamFault[] = [
  fault(
    "breaks off its gzip",
    packed(PACKED.subarray(0, -9)),
    /cannot be decompressed: unexpected/,
  ),
  fault(
    "sends a damaged gzip",
    packed(Buffer.from(PACKED).fill(0xff, 20, 30)),
    /cannot be decompressed: /,
  ),
  fault(
    "sends a gzip whose sum is wrong",
    packed(Buffer.from(PACKED).fill(0, PACKED.length - 8, PACKED.length - 4)),
    /cannot be decompressed: incorrect data check/,
  ),
  fault(
    "calls plain text gzip",
    packed(Buffer.from(LIST)),
    /cannot be decompressed: incorrect header/,
  ),
  fault("calls gzip brotli", packed(PACKED, "br"), /cannot be decompressed: /),
  fault(
    "breaks off its brotli",
    packed(brotliCompressSync(LIST).subarray(0, -3), "br"),
    /cannot be decompressed: /,
  ),
  fault("calls nothing gzip", packed(Buffer.alloc(0)), /cannot be decompressed|empty/),
  fault(
    "packs twice and says so",
    packed(gzipSync(PACKED), "gzip, gzip"),
    /compressed with "gzip, gzip"; use gzip/,
  ),
  fault("packs twice and says once", packed(gzipSync(PACKED)), /not valid UTF-8/),
  fault("compresses with zstd", packed(PACKED, "zstd"), /compressed with "zstd"; use gzip/),
  fault(
    "sends Latin-1 without saying so",
    send(answer(Buffer.from('{"items": [{"key": "caf\xe9"}]}', "latin1"))),
    /not valid UTF-8/,
  ),
  fault(
    "sends UTF-8 that breaks off",
    send(answer(Buffer.from('["\xc3"]', "latin1"))),
    /not valid UTF-8/,
  ),
];

/** Complete responses that are unusable. */
const WRONG: readonly UpstreamFault[] = [
  fault(
    "answers with a login page",
    send(answer("<html><title>Sign in</title>", { "content-type": "text/html" })),
    /status 200, but not JSON: HTML page "Sign in"/,
  ),
  fault("answers with nothing", send(answer("")), /status 200, but not JSON: the body is empty/),
  fault("answers 204", send("HTTP/1.1 204 No Content\r\n\r\n"), /status 204/),
  fault(
    "answers 304",
    send("HTTP/1.1 304 Not Modified\r\n\r\n"),
    /status 304; check base_url, and any cache/,
  ),
  fault("answers 206", send(answer(LIST, {}, "206 Partial Content")), /status 206/),
  fault(
    "sends to itself for ever",
    send(answer("", { location: "/things/" }, "302 Found")),
    /302 redirect to \/things\/; set base_url/,
  ),
  fault("answers null", json(null), /page 1: the response is null/),
  fault("lists null", json({ items: null, has_more: false }), /page 1: items is null, not a list/),
  fault(
    "lists nothing",
    json({ has_more: false }),
    /page 1: the response has no list "items" \(it has: has_more\)/,
  ),
  fault("lists an object", json({ items: {}, has_more: false }), /items is an object, not a list/),
  fault(
    "lists null items",
    json({ items: [null], has_more: false }),
    /items\[0\] is null, not an object/,
  ),
  fault("does not say whether it goes on", json({ items: [] }), /next_before_id is missing/),
  fault(
    "repeats its page",
    json({ items: [], has_more: true, next_before_id: 7 }),
    /next_before_id is 7 after before_id 7; it must decrease/,
    2,
  ),
  fault(
    "moves its cursor up",
    (socket, path) => {
      const cursor = path.includes("before_id") ? 9 : 7;
      json({ items: [], has_more: true, next_before_id: cursor })(socket, path);
    },
    /next_before_id is 9 after before_id 7; it must decrease/,
    2,
  ),
  fault(
    "says maybe",
    json({ items: [], has_more: "maybe", next_before_id: 7 }),
    /has_more is "maybe", not true or false/,
  ),
  fault(
    "gives a cursor that is a text",
    json({ items: [], has_more: true, next_before_id: "7" }),
    /next_before_id is "7" although the list has not ended/,
  ),
  fault(
    "nests a million lists",
    send(answer(`{"items": ${"[".repeat(1e6)}${"]".repeat(1e6)}, "has_more": false}`)),
    /items\[0\] is a list, not an object/,
  ),
  fault("writes NaN", send(answer('{"items": [{"rate": NaN}]}')), /not JSON: \{"items"/),
  fault(
    "sends a number that is too large",
    send(answer('{"items": [{"id": 1e999}], "has_more": false}')),
    /the number 1e999 is too large to be represented/,
  ),
  fault("breaks off its JSON", send(answer(LIST.slice(0, -1))), /not JSON: \{"items"/),
  fault("sends two values", send(answer(`${LIST}${LIST}`)), /not JSON: \{"items"/),
  fault(
    "writes control characters into its error",
    send(answer("\x1b[2J\x07\r\nGone\u202e\x9b\x00", {}, "410 \x1b[31mGone")),
    /status 410 \[2J Gone/,
  ),
];

export const UPSTREAM_FAULTS: readonly UpstreamFault[] = [
  ...SLOW,
  ...BROKEN,
  ...UNREADABLE,
  ...WRONG,
];
