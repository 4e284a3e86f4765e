import type { OwnAnswer } from "./answers.ts";
import type { Held } from "./hold-queue.ts";
import type { LiveRoute, LiveTarget } from "./live-route.ts";
import { pickTarget } from "./pick-target.ts";
import { type Plane, findRoute } from "./plane.ts";
import { noTarget, unknownHost } from "./refusals.ts";
import type { Upstream } from "./upstream.ts";

/** The way of one request to its target, through holds and failed attempts. Always by the table as it is at that moment. */
export class Placement {
  readonly #plane: Plane;
  readonly #port: number;
  readonly #host: string;
  #route: LiveRoute | null = null;
  #tried: Upstream[] | null = null;
  #heldUntil = 0;

  constructor(plane: Plane, { port, host }: { readonly port: number; readonly host: string }) {
    this.#plane = plane;
    this.#port = port;
    this.#host = host;
  }

  get service(): string {
    return this.#route?.service ?? this.#host;
  }

  /** A target; or null when the request is held and `held` will be called; or what it is refused with. */
  find(held: Held): LiveTarget | OwnAnswer | null {
    const route = this.#lookUp();
    if (route === undefined) return unknownHost(this.#host);
    this.#route = route;
    const target = pickTarget(route, this.#tried);
    if (target !== null) return target;
    return route.targets.length === 0 && this.#hold(route, held) ? null : noTarget(route.service);
  }

  /** Waits no longer. */
  release(held: Held): void {
    if (this.#heldUntil !== 0 && this.#route !== null) this.#plane.holds.remove(this.#route.key, held);
  }

  /** Whether there is a place left after this one failed. */
  hasOther(failed: Upstream): boolean {
    const tried = [...(this.#tried ?? []), failed];
    this.#tried = tried;
    const route = this.#lookUp();
    if (route === undefined) return false;
    if (route.targets.length === 0) return route.holdMs !== null;
    return route.targets.some(({ upstream }) => !tried.includes(upstream));
  }

  #lookUp(): LiveRoute | undefined {
    return findRoute(this.#plane, { port: this.#port, host: this.#host });
  }

  /** All waits of one request together are bounded, not each. */
  #hold(route: LiveRoute, held: Held): boolean {
    if (route.holdMs === null) return false;
    const now = performance.now();
    if (this.#heldUntil === 0) this.#heldUntil = now + route.holdMs;
    return this.#heldUntil > now && this.#plane.holds.add(route, held, this.#heldUntil - now);
  }
}

export function isTarget(found: LiveTarget | OwnAnswer): found is LiveTarget {
  return "upstream" in found;
}
