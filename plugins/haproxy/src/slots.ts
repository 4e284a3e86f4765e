import type { Target } from "@helixstack/sdk";

const MOST = 100;

/**
 * The order in which targets take turns, by weight and smoothly: 3:1 gives a a b a. At most 100 turns; a share below one in a hundred is rounded up.
 * Empty when nobody takes requests.
 */
export function turnsOf(targets: readonly Target[]): readonly Target[] {
  const taking = targets.filter(({ weight }) => weight > 0);
  if (taking.length <= 1) return taking;
  const weights = wholeWeights(taking.map(({ weight }) => weight));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const current = weights.map(() => 0);
  return Array.from({ length: total }, () => {
    let best = 0;
    for (const [i, weight] of weights.entries()) {
      current[i]! += weight;
      if (current[i]! > current[best]!) best = i;
    }
    current[best]! -= total;
    return taking[best]!;
  });
}

/** The same shares in the smallest whole numbers. */
function wholeWeights(weights: readonly number[]): readonly number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const fits = weights.every(Number.isInteger) && total / weights.reduce(divisor) <= MOST;
  const whole = fits ? weights : weights.map((weight) => Math.max(1, Math.round((weight * MOST) / total)));
  const common = whole.reduce(divisor);
  return whole.map((weight) => weight / common);
}

function divisor(a: number, b: number): number {
  return b === 0 ? a : divisor(b, a % b);
}
