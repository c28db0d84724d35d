/** Preloaded into a process of the engine: its clock is wrong by $TEST_CLOCK_SHIFT seconds. */
const shift = Number(process.env.TEST_CLOCK_SHIFT) * 1000;
const RealDate = Date;
const now = () => RealDate.now() + shift;
globalThis.Date = class extends RealDate {
  constructor(...args) {
    super(...(args.length === 0 ? [now()] : args));
  }
  static now() {
    return now();
  }
};
