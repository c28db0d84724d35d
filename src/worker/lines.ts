import { StringDecoder } from "node:string_decoder";

/**
 * Cuts a stream of UTF-8 bytes into lines. A line longer than `limit` characters is given up to there
 * as it is, so that nobody's endless line fills the memory.
 */
export function lineSplitter(limit: number, take: (line: string) => void): (chunk: Buffer) => void {
  const decoder = new StringDecoder("utf8");
  let parts: string[] = [];
  let length = 0;
  const flush = (): void => {
    const line = parts.join("");
    parts = [];
    length = 0;
    take(line);
  };
  return (chunk) => {
    let rest = decoder.write(chunk);
    for (let at = rest.indexOf("\n"); at >= 0; at = rest.indexOf("\n")) {
      parts.push(rest.slice(0, at));
      rest = rest.slice(at + 1);
      flush();
    }
    if (rest === "") return;
    parts.push(rest);
    length += rest.length;
    if (length > limit) flush();
  };
}
