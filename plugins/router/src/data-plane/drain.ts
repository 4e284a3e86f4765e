import type { DrainInput, DrainResult } from "@helixstack/sdk";
import type { Exchange } from "./exchange.ts";
import type { Plane } from "./plane.ts";
import type { Revision, Revisions } from "./revision.ts";

const CLOSE_MS = 250;

/** Waits for what is in flight, and closes what is left. One a process. */
export class Drains {
  readonly #plane: Plane;
  readonly #waiting = new Set<() => void>();
  #revisions: Revisions | null = null;

  constructor(plane: Plane) {
    this.#plane = plane;
  }

  use(revisions: Revisions): void {
    this.#revisions = revisions;
  }

  /** Something has left: those that wait look again. */
  notice(): void {
    for (const look of this.#waiting) look();
  }

  /**
   * Streams are told at the start, since they would never end by themselves; requests get all of the time. When it is over, or the signal
   * fires, what is left is closed; a fired signal closes nothing.
   */
  async drain({ revisions: ids, timeoutMs }: DrainInput, signal: AbortSignal): Promise<DrainResult> {
    const start = performance.now();
    const revisions = ids.map((id) => this.#revisions?.find(id)).filter((revision) => revision !== undefined);
    for (const revision of revisions) revision.draining += 1;
    try {
      this.#tellStreams(new Set(revisions));
      const isEmpty = await this.#untilEmpty(revisions, { ms: timeoutMs, signal });
      const closed = isEmpty || signal.aborted ? 0 : this.#cut(new Set(revisions));
      if (closed > 0) await this.#untilEmpty(revisions, { ms: CLOSE_MS, signal });
      return { closed, waitedMs: Math.round(performance.now() - start) };
    } finally {
      for (const revision of revisions) revision.draining -= 1;
    }
  }

  /** Everything at once, for the end of the process. */
  async drainAll(timeoutMs: number): Promise<DrainResult> {
    const revisions = this.#revisions?.all().map(({ id }) => id) ?? [];
    return this.drain({ revisions, timeoutMs }, new AbortController().signal);
  }

  async #untilEmpty(
    revisions: readonly Revision[],
    { ms, signal }: { readonly ms: number; readonly signal: AbortSignal },
  ): Promise<boolean> {
    const isEmpty = (): boolean => revisions.every(({ inFlight }) => inFlight === 0);
    if (isEmpty()) return true;
    return new Promise((resolve) => {
      const finish = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", finish);
        this.#waiting.delete(look);
        resolve(isEmpty());
      };
      const look = (): void => {
        if (isEmpty()) finish();
      };
      const timer = setTimeout(finish, ms);
      signal.addEventListener("abort", finish);
      this.#waiting.add(look);
    });
  }

  #tellStreams(revisions: ReadonlySet<Revision>): void {
    for (const exchange of this.#exchanges(revisions)) exchange.tellToGo();
    for (const revision of revisions) for (const tunnel of revision.tunnels) tunnel.tellToGo();
  }

  #cut(revisions: ReadonlySet<Revision>): number {
    const exchanges = this.#exchanges(revisions);
    for (const exchange of exchanges) exchange.cut();
    const tunnels = [...revisions].flatMap((revision) => [...revision.tunnels]);
    for (const tunnel of tunnels) tunnel.cut();
    return exchanges.length + tunnels.length;
  }

  /** Found through the connections: a list of them would cost each request, a drain is rare. */
  #exchanges(revisions: ReadonlySet<Revision>): readonly Exchange[] {
    return [...this.#plane.connections].flatMap(({ current }) => (current?.revision && revisions.has(current.revision) ? [current] : []));
  }
}
