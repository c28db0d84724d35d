/**
 * z for which a standard normal value is at most z with this probability, 0.5 or more and below 1: 0.95 → 1.6449.
 * The error is below 1e-6. Source: M. J. Wichura, Algorithm AS 241 (PPND7), Applied Statistics 37 (1988) 477-484.
 */
export function normalQuantile(probability: number): number {
  const q = probability - 0.5;
  if (q <= 0.425) {
    const r = 0.180625 - q * q;
    const above = ((59.10937472 * r + 159.29113202) * r + 50.434271938) * r + 3.3871327179;
    const below = ((67.1875636 * r + 78.757757664) * r + 17.895169469) * r + 1;
    return (q * above) / below;
  }
  const tail = Math.sqrt(-Math.log(1 - probability));
  if (tail <= 5) {
    const r = tail - 1.6;
    const above = ((0.17023821103 * r + 1.3067284816) * r + 2.75681539) * r + 1.4234372777;
    return above / ((0.12021132975 * r + 0.7370016425) * r + 1);
  }
  const r = tail - 5;
  const above = ((0.017337203997 * r + 0.42868294337) * r + 3.081226386) * r + 6.657905115;
  return above / ((0.012258202635 * r + 0.24197894225) * r + 1);
}
