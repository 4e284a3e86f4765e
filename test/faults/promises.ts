/** What an experiment shows, for people. `docs/operations/faults.md` is made of these and of the figures in `results/`. */
export interface FaultPromise {
  /** Of the experiments whose ids are this, or begin with it and a dot. */
  readonly id: string;
  readonly fault: string;
  readonly sees: string;
  readonly guaranteed: string;
}

export const PROMISES: readonly FaultPromise[] = [
  {
    id: "1",
    fault: "A worker is killed, at any boundary of a deployment.",
    sees: "A pause. `helix inspect` names the worker, the step, and who took over.",
    guaranteed:
      "The deployment ends live or fully undone. No application is started twice (but one whose port another program took before it listened), no task runs twice, nothing is left over.",
  },
  {
    id: "2",
    fault: "The control plane, a plugin host, the router, the supervisor or PostgreSQL is killed.",
    sees: "Requests fail only while the router itself is away. Deployments wait and go on.",
    guaranteed: "No step moves to another worker while its own lives. A successor waits for the end of the old plugin host.",
  },
  {
    id: "3",
    fault: "The workers of one run are killed again and again.",
    sees: "It completes; after more than 25 deaths without a finished step it fails with QUARANTINED and the reason.",
    guaranteed: "Deaths do not use up a step's attempts. The rest of the queue goes on.",
  },
  {
    id: "4",
    fault: "A worker freezes for longer than its lease and wakes up later.",
    sees: "Another worker takes over after the lease of 10 s.",
    guaranteed: "The one that woke up writes nothing and changes nothing, with every local plugin.",
  },
  {
    id: "5",
    fault: "The queue loses everything.",
    sees: "Nothing but a short wait.",
    guaranteed: "Every run is queued again from the ledger within 10 s.",
  },
  {
    id: "6.a",
    fault: "More deployments are asked for at once than can run.",
    sees: "They wait; a queued one is superseded by a newer one of its environment.",
    guaranteed: "All end, in order per environment. Memory is bounded.",
  },
  {
    id: "6.b",
    fault: "The disk is full; descriptors or database connections are gone; the clock is moved; the database is slow.",
    sees: "A slower deployment, or one that ends with a clear error. What serves goes on.",
    guaranteed: "After the relief everything goes on by itself: what was asked for ends, and the next deployment goes live.",
  },
  {
    id: "7",
    fault: "Somebody cancels, or the deadline passes, at any boundary.",
    sees: "CANCELLED or DEADLINE_PASSED; after the switch has begun the deployment goes on to its end.",
    guaranteed: "One end. The old release serves, or the new one whole. Nothing is left.",
  },
  {
    id: "8",
    fault: "Random deploys, failures, rollbacks, destroys and kills, for a long time.",
    sees: "What each of them shows by itself.",
    guaranteed: "Ledger and world agree, entry by entry, after each step and at the end. Nothing leaks.",
  },
  {
    id: "10",
    fault: "A backup is restored while newer things run.",
    sees: "`helix doctor` lists what is newer than the backup.",
    guaranteed:
      "The restore removes nothing from the world, and what runs goes on. The next deployment of a project takes over its addresses, also of one that the backup does not know.",
  },
];
