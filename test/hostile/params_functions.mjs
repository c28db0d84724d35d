// Has PARAMS that are functions.
export const PARAMS = { p: () => {}, q: { type: () => {}, description: 5n } };
export const detect = () => [];
