import { parseDetection } from "../core/detection.ts";
import type { SafeDetection } from "../core/model.ts";
import { type Slice, Spool } from "../spool/spool.ts";

/** Characters of detections that one tick keeps in memory; what is more goes to the disk. */
const IN_MEMORY = 16 * 2 ** 20;
/** Bytes on the disk. */
const ON_DISK = 2 * 2 ** 30;

/** A detection that was kept: itself, or where it lies. */
export type Kept =
  | { readonly at: "memory"; readonly detection: SafeDetection }
  | { readonly at: "disk"; readonly slice: Slice };

/** The detections of one tick, all alarms together, until they are recorded. */
export class Details {
  #spool: Spool | undefined;
  #left: number;

  constructor(inMemory: number = IN_MEMORY, onDisk: number = ON_DISK) {
    this.#left = inMemory;
    this.#spool = new Spool(onDisk);
  }

  /** `text` is its JSON. Throws where neither memory nor disk take it. */
  keep(detection: SafeDetection, text: string): Kept {
    if (text.length <= this.#left) {
      this.#left -= text.length;
      return { at: "memory", detection };
    }
    if (this.#spool === undefined) throw new Error("an earlier write to the disk failed");
    try {
      return { at: "disk", slice: this.#spool.append(Buffer.from(text)) };
    } catch (error) {
      // After a failed write nobody knows what is where.
      if (!(error instanceof RangeError)) this.close();
      throw error;
    }
  }

  /** Undefined for what was on the disk, once a write failed or the tick is over. Throws where it cannot be read. */
  read(kept: Kept): SafeDetection | undefined {
    if (kept.at === "memory") return kept.detection;
    if (this.#spool === undefined) return undefined;
    const parsed = parseDetection(JSON.parse(this.#spool.read(kept.slice).toString()));
    if (!parsed.ok) throw new Error(`a detection came back broken from the disk: ${parsed.fault}`);
    return parsed.detection;
  }

  close(): void {
    this.#spool?.close();
    this.#spool = undefined;
  }
}
