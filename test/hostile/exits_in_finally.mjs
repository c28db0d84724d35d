// Exits in its finally.
export async function* detect() {
  yield { dedupeKey: "before", subject: "Seen before" };
  try {
    throw new Error("first");
  } finally {
    process.exit(4);
  }
}
