import type { LiveRoute } from "./live-route.ts";
import type { Snapshot } from "./snapshot.ts";

/** A request that waits for a target. Its body is not read, so it costs its headers and at most one buffer of its connection. */
export interface Held {
  /** The route has changed: look again. */
  again(): void;
  /** The time is over. */
  lapse(): void;
}

interface Entry {
  readonly held: Held;
  readonly timer: NodeJS.Timeout;
}

/** Requests that wait, by route, in the order in which they came. */
export class HoldQueue {
  readonly #byRoute = new Map<string, Map<Held, Entry>>();
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** False when as many wait already as may. */
  add(route: LiveRoute, held: Held, ms: number): boolean {
    const waiting = this.#byRoute.get(route.key) ?? new Map<Held, Entry>();
    if (waiting.size >= this.#limit) return false;
    this.#byRoute.set(route.key, waiting);
    const timer = setTimeout(() => {
      this.remove(route.key, held);
      held.lapse();
    }, ms);
    waiting.set(held, { held, timer });
    return true;
  }

  remove(key: string, held: Held): void {
    const waiting = this.#byRoute.get(key);
    const entry = waiting?.get(held);
    if (waiting === undefined || entry === undefined) return;
    clearTimeout(entry.timer);
    waiting.delete(held);
    if (waiting.size === 0) this.#byRoute.delete(key);
  }

  /** After a switch: lets those go on, in order, whose route has targets now, holds no longer or is gone. */
  release(snapshot: Snapshot): void {
    const due = [...this.#byRoute].filter(([key]) => !stillHolds(snapshot.keys.get(key)));
    this.#empty(due, (held) => held.again());
  }

  /** Gives up on all that wait. */
  lapseAll(): void {
    this.#empty([...this.#byRoute], (held) => held.lapse());
  }

  #empty(due: readonly (readonly [string, ReadonlyMap<Held, Entry>])[], then: (held: Held) => void): void {
    for (const [key, waiting] of due) {
      this.#byRoute.delete(key);
      for (const { held, timer } of waiting.values()) {
        clearTimeout(timer);
        then(held);
      }
    }
  }
}

function stillHolds(route: LiveRoute | undefined): boolean {
  return route !== undefined && route.targets.length === 0 && route.holdMs !== null;
}
