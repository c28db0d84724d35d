import { quote } from "../../text/describe.ts";
import { isScalar, type Scalar } from "./history.ts";

/** The values seen now, by key. */
export type Samples = ReadonlyMap<string, Scalar> | { readonly [key: string]: Scalar };

/** Throws TypeError for what JSON would lose. */
export function readSamples(samples: Samples): ReadonlyMap<string, Scalar> {
  const entries = isMap(samples) ? samples : Object.entries(samples);
  const checked = new Map<string, Scalar>();
  for (const [key, value] of entries) {
    if (typeof key !== "string")
      throw new TypeError(`Track: a key of the samples is ${quote(key)}; it must be text`);
    if (!isScalar(value))
      throw new TypeError(
        `Track: the sample of ${quote(key)} is ${quote(value)}; it must be text, a finite number, true, false or null`,
      );
    checked.set(key, value);
  }
  return checked;
}

function isMap(samples: Samples): samples is ReadonlyMap<string, Scalar> {
  return samples instanceof Map;
}
