import { StringDecoder } from "node:string_decoder";

/** Splits a stream of UTF-8 into lines. A line longer than `limit` characters is passed on in parts. */
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
    const [first = "", ...more] = decoder.write(chunk).split("\n");
    const add = (part: string): void => {
      parts.push(part);
      length += part.length;
    };
    add(first);
    for (const part of more) {
      flush();
      add(part);
    }
    if (length > limit) flush();
  };
}
