/** Where a delivery stands in the table of deliveries. */
export interface DeliveryKey {
  lane: bigint;
  position: bigint;
  /** 0, or the number of the replay. */
  replayNo: number;
}

const LANE_DIGITS = 10;
const POSITION_DIGITS = 14;
const REPLAY_DIGITS = 6;
const ID = /^([0-9a-f]{8})-([0-9a-f]{4})-8([0-9a-f]{3})-8([0-9a-f]{3})-([0-9a-f]{12})$/;

/** A key as one UUIDv8, whose 120 free bits it fills: what is shown needs no column and no index of its own. */
export function deliveryId({ lane, position, replayNo }: DeliveryKey): string {
  const digits =
    digitsOf(lane, LANE_DIGITS) + digitsOf(position, POSITION_DIGITS) + digitsOf(BigInt(replayNo), REPLAY_DIGITS);
  const part = (from: number, to: number): string => digits.slice(from, to);
  return `${part(0, 8)}-${part(8, 12)}-8${part(12, 15)}-8${part(15, 18)}-${part(18, 30)}`;
}

/** Undefined for every text that `deliveryId` does not write. */
export function deliveryKey(text: string): DeliveryKey | undefined {
  const parts = ID.exec(text);
  if (!parts) return undefined;
  const digits = parts.slice(1).join('');
  const number = (from: number, count: number): bigint => BigInt(`0x${digits.slice(from, from + count)}`);
  return {
    lane: number(0, LANE_DIGITS),
    position: number(LANE_DIGITS, POSITION_DIGITS),
    replayNo: Number(number(LANE_DIGITS + POSITION_DIGITS, REPLAY_DIGITS)),
  };
}

function digitsOf(value: bigint, count: number): string {
  const digits = value.toString(16).padStart(count, '0');
  if (value < 0n || digits.length > count) throw new RangeError(`${value} has no place in a delivery id`);
  return digits;
}
