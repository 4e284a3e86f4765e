import type { LiveRoute, LiveTarget } from "./live-route.ts";
import type { Upstream } from "./upstream.ts";

/**
 * Chooses by weight, smoothly: 3:1 gives a a b a, never a a a b a a a b in bursts. Each choice raises every candidate by its weight,
 * takes the highest and lowers it by the sum. `null` when the route has none, or all of them were tried.
 */
export function pickTarget(route: LiveRoute, tried: readonly Upstream[] | null): LiveTarget | null {
  const { targets } = route;
  if (tried === null && targets.length <= 1) return targets[0] ?? null;
  let best: LiveTarget | null = null;
  let total = 0;
  for (const target of targets) {
    if (tried !== null && tried.includes(target.upstream)) continue;
    total += target.weight;
    target.current += target.weight;
    if (best === null || target.current > best.current) best = target;
  }
  if (best !== null) best.current -= total;
  return best;
}
