import { quote } from "../text/describe.ts";
import { normalQuantile } from "./normal_quantile.ts";

/**
 * The failure rate that is reached with this confidence, 0 to 1: the one-sided lower bound of Wilson's score
 * interval. The fewer there are in total, the further it lies below `failures / total`; 0 if the total is 0.
 *
 *     p = failures / total, n = total, z = quantile of the normal distribution (0.95 → 1.6449)
 *     ( p + z²/2n − z·√( p(1−p)/n + z²/4n² ) ) / ( 1 + z²/n )
 *
 * One failure of one already gives 0.27: ignore entities with a small total before you compare.
 * `confidence` is at least 0.5, where the bound is the rate itself, and below 1. Throws RangeError for anything
 * else, and for counts that cannot be right.
 *
 * Source: E. B. Wilson, J. Am. Stat. Assoc. 22 (1927) 209-212; L. D. Brown, T. T. Cai, A. DasGupta, Statistical
 * Science 16 (2001) 101-133.
 */
export function wilsonLower(failures: number, total: number, confidence = 0.95): number {
  if (!isCount(total)) throw fault("total", total, "a whole number, 0 or more");
  if (!isCount(failures) || failures > total)
    throw fault("failures", failures, `a whole number from 0 to the total, ${total}`);
  if (!(typeof confidence === "number" && confidence >= 0.5 && confidence < 1))
    throw fault("confidence", confidence, "at least 0.5 and below 1; 0.95 is 95%");
  if (failures === 0) return 0;
  const z = normalQuantile(confidence);
  const rate = failures / total;
  const square = (z * z) / total;
  const spread = z * Math.sqrt((rate * (1 - rate)) / total + square / (4 * total));
  // Rounding must not lift it above the rate.
  return Math.min(rate, (rate + square / 2 - spread) / (1 + square));
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function fault(name: string, value: unknown, rule: string): RangeError {
  return new RangeError(`wilsonLower: ${name} is ${quote(value)}; it must be ${rule}`);
}
