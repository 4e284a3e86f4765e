import type { RevisionStats } from "@helixstack/sdk";
import type { Tunnel } from "./tunnel.ts";

/** What is counted for one revision, over all targets and tables that it is in. */
export class Revision {
  readonly id: string;
  release: string | null;
  requests = 0;
  failures = 0;
  inFlight = 0;
  /** Drains that wait for this revision just now. Its streams are told to go while there is one. */
  draining = 0;
  /** Tables that have it. */
  tables = 0;
  readonly tunnels = new Set<Tunnel>();
  onLeave: (() => void) | null = null;

  constructor(id: string, release: string | null) {
    this.id = id;
    this.release = release;
  }

  enter(): void {
    this.requests += 1;
    this.inFlight += 1;
  }

  leave(): void {
    this.inFlight -= 1;
    if (this.inFlight === 0) this.onLeave?.();
  }

  stats(): RevisionStats {
    const { id, release, requests, failures, inFlight } = this;
    return { revision: id, release, requests, failures, inFlight };
  }
}

/** The revisions that are in a table, or still have something in flight. */
export class Revisions {
  readonly #byId = new Map<string, Revision>();
  /** In no table any more, but not idle yet. */
  readonly #left = new Set<Revision>();
  readonly #onLeave: () => void;

  constructor(onLeave: () => void) {
    this.#onLeave = onLeave;
  }

  of(id: string, release: string | null): Revision {
    const found = this.#byId.get(id);
    if (found) {
      found.release = release ?? found.release;
      return found;
    }
    const made = new Revision(id, release);
    made.onLeave = this.#onLeave;
    this.#byId.set(id, made);
    return made;
  }

  find(id: string): Revision | undefined {
    return this.#byId.get(id);
  }

  all(): readonly Revision[] {
    return [...this.#byId.values()];
  }

  /** One table has these instead of those. Forgets what is in no table and has nothing in flight. */
  replace(before: ReadonlySet<Revision>, after: ReadonlySet<Revision>): void {
    for (const revision of after) {
      revision.tables += 1;
      this.#left.delete(revision);
    }
    for (const revision of before) {
      revision.tables -= 1;
      if (revision.tables === 0) this.#left.add(revision);
    }
    for (const revision of this.#left) {
      if (revision.inFlight > 0 || revision.draining > 0) continue;
      this.#left.delete(revision);
      this.#byId.delete(revision.id);
    }
  }
}
