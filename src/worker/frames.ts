/**
 * How the engine's messages travel to the process that runs alarm modules: a line with the length of the
 * body in bytes and a text, then the body as it is. A page of tasks is so neither escaped nor parsed on
 * its way.
 */

/** The line before a body; `text` has no line break, and JSON has none. */
export function frameLine(text: string, body: Uint8Array): string {
  return `${body.length} ${text}\n`;
}

/** Cuts a stream of frames; `take` gets the text and the body of each, in turn. */
export function frameSplitter(take: (text: string, body: Buffer) => void): (chunk: Buffer) => void {
  let parts: Buffer[] = [];
  let text: string | undefined;
  /** Bytes of the body that are still to come. */
  let missing = 0;
  return (chunk) => {
    let rest = chunk;
    for (;;) {
      if (text === undefined) {
        const end = rest.indexOf("\n");
        parts.push(end < 0 ? rest : rest.subarray(0, end));
        if (end < 0) return;
        rest = rest.subarray(end + 1);
        const line = Buffer.concat(parts).toString();
        const [length = ""] = line.split(" ", 1);
        text = line.slice(length.length + 1);
        missing = Number(length);
        parts = [];
      }
      const part = rest.subarray(0, missing);
      parts.push(part);
      missing -= part.length;
      if (missing > 0) return;
      rest = rest.subarray(part.length);
      const whole = text;
      const body = Buffer.concat(parts);
      text = undefined;
      parts = [];
      take(whole, body);
    }
  };
}
