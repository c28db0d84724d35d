/** Splits a stream of text into lines. A line longer than `limit` characters is passed on in parts. */
export function lineSplitter(limit: number, take: (line: string) => void): (chunk: string) => void {
  let line = "";
  return (chunk) => {
    const [first = "", ...more] = chunk.split("\n");
    line += first;
    for (const next of more) {
      take(line);
      line = next;
    }
    if (line.length <= limit) return;
    take(line);
    line = "";
  };
}
