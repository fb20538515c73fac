// Loaded into a service before all else (node --require): its clock is CLOCK_OFFSET_MS ahead of the machine's, or behind it.
const offset = Number(process.env.CLOCK_OFFSET_MS ?? 0);
if (offset !== 0) {
  const Real = Date;
  const now = () => Real.now() + offset;
  globalThis.Date = class Date extends Real {
    constructor(...args) {
      if (args.length === 0) super(now());
      else super(...args);
    }
    static now() {
      return now();
    }
  };
}
