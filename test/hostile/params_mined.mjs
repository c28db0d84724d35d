// Has PARAMS that throw, trap and call.
const no = () => {
  throw new Error("no");
};
export const PARAMS = new Proxy({}, { get: no, ownKeys: no });
export const detect = () => [];
