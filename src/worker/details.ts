import { parseDetection } from "../core/detection.ts";
import type { SafeDetection } from "../core/model.ts";
import { type Slice, Spool } from "../spool/spool.ts";

/** Characters of detections' JSON that one tick keeps in memory; what is more goes to the disk. */
const IN_MEMORY = 16 * 2 ** 20;
/** Bytes on the disk. */
const ON_DISK = 2 * 2 ** 30;

/** A detection that was kept: itself, or where it lies. */
export type Kept =
  | { readonly at: "memory"; readonly detection: SafeDetection }
  | { readonly at: "disk"; readonly slice: Slice };

/** The detections of one tick, all alarms together, until they are recorded. */
export class Details {
  readonly #spool: Spool;
  #left: number;
  #closed = false;

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
    return { at: "disk", slice: this.#spool.append(Buffer.from(text)) };
  }

  /** Undefined for what was on the disk, once the tick is over. Throws where the disk does not give it back. */
  read(kept: Kept): SafeDetection | undefined {
    if (kept.at === "memory") return kept.detection;
    if (this.#closed) return undefined;
    const parsed = parseDetection(JSON.parse(this.#spool.read(kept.slice).toString()));
    if (!parsed.ok) throw new Error(`a detection came back broken from the disk: ${parsed.fault}`);
    return parsed.detection;
  }

  close(): void {
    this.#closed = true;
    this.#spool.close();
  }
}
