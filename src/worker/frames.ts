/**
 * How the engine's messages travel to a worker: the lengths of a text and of a body in bytes, then both. A page
 * of tasks is neither escaped nor parsed on its way.
 */

/** Bytes of the two lengths. */
const LENGTHS = 8;

/** What comes before a body. */
export function frameHead(text: string, body: Uint8Array): Buffer {
  const bytes = Buffer.from(text);
  const lengths = Buffer.alloc(LENGTHS);
  lengths.writeUInt32LE(bytes.length);
  lengths.writeUInt32LE(body.length, 4);
  return Buffer.concat([lengths, bytes]);
}

/** Cuts a stream of frames; `take` gets the text and the body of each, in turn. */
export function frameSplitter(take: (text: string, body: Buffer) => void): (chunk: Buffer) => void {
  let parts: Buffer[] = [];
  let received = 0;
  let needed = LENGTHS;
  return (chunk) => {
    parts.push(chunk);
    received += chunk.length;
    if (received < needed) return;
    let rest = Buffer.concat(parts);
    for (needed = LENGTHS; rest.length >= needed; needed = LENGTHS) {
      const bodyStart = LENGTHS + rest.readUInt32LE();
      needed = bodyStart + rest.readUInt32LE(4);
      if (rest.length < needed) break;
      const frame = rest;
      rest = rest.subarray(needed);
      take(frame.toString("utf8", LENGTHS, bodyStart), frame.subarray(bodyStart, needed));
    }
    parts = [rest];
    received = rest.length;
  };
}
