/**
 * A request that gave no usable answer. Modules may catch it; the outcome is partial all the same,
 * because what was not read cannot prove that an entity is gone.
 */
export class FetchError extends Error {
  override readonly name = "FetchError";
}
