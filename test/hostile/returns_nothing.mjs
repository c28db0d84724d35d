// Returns nothing.
export const detect = () => {};
