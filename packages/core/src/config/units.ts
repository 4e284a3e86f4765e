/** Durations as people write them: a number and one unit. */
export const DURATION_PATTERN = "^[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)$";
/** Sizes as people write them: bytes with a decimal (`M`) or binary (`Mi`) unit. */
export const SIZE_PATTERN = "^[0-9]+(\\.[0-9]+)?(k|K|M|G|T|Ki|Mi|Gi|Ti)?$";

const MILLISECONDS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const BYTES: Readonly<Record<string, number>> = {
  "": 1,
  k: 1e3,
  K: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

/**
 * Milliseconds of a duration; null for what is none.
 *
 * @example parseDuration("10m") // 600000
 */
export function parseDuration(text: string): number | null {
  return parse(text, { pattern: DURATION_PATTERN, factors: MILLISECONDS });
}

/**
 * Bytes of a size; null for what is none.
 *
 * @example parseSize("256Mi") // 268435456
 */
export function parseSize(text: string): number | null {
  return parse(text, { pattern: SIZE_PATTERN, factors: BYTES });
}

function parse(text: string, { pattern, factors }: { pattern: string; factors: Readonly<Record<string, number>> }): number | null {
  if (!new RegExp(pattern).test(text)) return null;
  const unit = text.replace(/^[0-9.]+/, "");
  const amount = Math.round(Number.parseFloat(text) * factors[unit]!);
  return Number.isSafeInteger(amount) ? amount : null;
}
