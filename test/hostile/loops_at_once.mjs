// Loops for ever before any detection.
export async function* detect() {
  for (;;);
}
