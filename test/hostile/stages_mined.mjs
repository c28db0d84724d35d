// Has STAGES that throw and trap.
const no = () => {
  throw new Error("no");
};
export const STAGES = new Proxy([], { get: no, ownKeys: no });
export const detect = () => [];
