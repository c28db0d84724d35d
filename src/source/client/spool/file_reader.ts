import { parseSpoolLine } from "../../../spool/parse_spool_line.ts";
import type { SpoolLine } from "../../../spool/spool_line.ts";

const NEWLINE = 10;

/** Whole lines of the file from a byte on; empty at its end. */
export type ReadStretch = (from: number) => Promise<Buffer>;

/** Reads the lines of one file in order, and skips broken ones. */
export class FileReader {
  readonly name: string;
  /** The newest line that was read; undefined at the end. */
  line: SpoolLine | undefined;
  /** Bytes from the beginning of the file to the end of that line, or of the last broken one. */
  end: number;
  /** Broken lines so far. */
  broken = 0;
  readonly #read: ReadStretch;
  #buffer: Buffer = Buffer.alloc(0);
  /** Where the next line begins in the buffer. */
  #next = 0;

  /** `from` is where a line begins. */
  constructor(name: string, from: number, read: ReadStretch) {
    this.name = name;
    this.end = from;
    this.#read = read;
  }

  async advance(): Promise<void> {
    this.line = undefined;
    while (this.line === undefined) {
      if (this.#next >= this.#buffer.length) {
        this.#buffer = await this.#read(this.end);
        this.#next = 0;
        if (this.#buffer.length === 0) return;
      }
      const newline = this.#buffer.indexOf(NEWLINE, this.#next);
      const end = newline === -1 ? this.#buffer.length : newline + 1;
      this.line = parseSpoolLine(this.#buffer.toString("utf8", this.#next, end));
      if (this.line === undefined) this.broken += 1;
      this.end += end - this.#next;
      this.#next = end;
    }
  }
}
