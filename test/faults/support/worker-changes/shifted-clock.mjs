/** As if somebody had set the clock of this process. */
export function shiftClock(byMs) {
  const Real = Date;
  globalThis.Date = class Date extends Real {
    constructor(...given) {
      if (given.length === 0) super(Real.now() + byMs);
      else super(...given);
    }

    static now() {
      return Real.now() + byMs;
    }
  };
}
