// Has a source of 50 MB once it runs.
export const detect = () =>
  new Function(`${"void 0;".repeat(7_000_000)}return [{ dedupeKey: "before" }]`)();
