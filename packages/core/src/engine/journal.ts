import { type ErrorDocument, toEngineError } from "../domain/errors.ts";
import type { StepKind } from "../domain/plan.ts";
import type { StepState } from "../domain/states.ts";
import type { Grip, Ledger, LedgerWrite, StepRecord } from "../ports/index.ts";
import { isNotOurs } from "./attempt.ts";
import { withoutDecision } from "./decision-log.ts";

/** What a journalled step is called. */
export interface StepRef {
  readonly id: string;
  readonly kind: StepKind;
  readonly service: string | null;
}

export interface JournalEntry {
  readonly state: StepState;
  readonly attempt: number;
  readonly outcome: Readonly<Record<string, unknown>> | null;
}

export interface StepEnding {
  readonly state: "done" | "failed" | "skipped" | "undone";
  readonly outcome?: Readonly<Record<string, unknown>> | undefined;
  readonly error?: ErrorDocument | undefined;
  /** What is written in the same transaction. */
  readonly writes?: readonly LedgerWrite[] | undefined;
  /** ISO 8601, for a step that is written down only now that it has ended. */
  readonly times?: { readonly began: string; readonly ended: string } | undefined;
  /** Written with what comes next, in its transaction: see `StepEnd.mayWait`. */
  readonly mayWait?: boolean | undefined;
}

/**
 * The journal of one deployment, as this worker reads and writes it. Whatever it says is in the ledger, or will be before the next thing is
 * done to the world: ends that may wait stand in the transaction of the next intent.
 */
export interface Journal {
  states(): Readonly<Record<string, StepState>>;
  entry(step: string): JournalEntry | undefined;
  /** All writes or none, after those that were asked for before. */
  commit(writes: readonly LedgerWrite[]): Promise<void>;
  /** Writes down what is about to be done, once an attempt, together with what it will make. Answers with the operation's id. */
  intend(step: StepRef, input: { readonly plugin?: string | null; readonly writes?: readonly LedgerWrite[] }): Promise<string>;
  /** Writes down how it ended. A step without side effects need not have been intended. */
  end(step: StepRef, ending: StepEnding): Promise<void>;
  /** Writes down that an attempt failed and the next begins. */
  retry(step: StepRef, input: { readonly plugin: string | null; readonly error: ErrorDocument }): Promise<void>;
}

type Intention = Extract<LedgerWrite, { write: "step.intend" }>;

interface Together {
  readonly earlier: readonly LedgerWrite[];
  readonly writes: readonly LedgerWrite[];
}

/** In one transaction. Where that is refused, what waited is written by itself first: what came with it must not take it along, nor be taken for it. */
async function commitTogether(ledger: Pick<Ledger, "commit">, grip: Grip, { earlier, writes }: Together): Promise<void> {
  const commit = (some: readonly LedgerWrite[]) =>
    ledger.commit(grip, some).catch((thrown: unknown) => {
      throw withoutDecision(some, thrown);
    });
  if (earlier.length === 0) return commit(writes);
  try {
    return await ledger.commit(grip, [...earlier, ...writes]);
  } catch (thrown) {
    if (isNotOurs(toEngineError(thrown))) throw thrown;
  }
  await commit(earlier);
  await commit(writes);
}

export function createJournal(ledger: Pick<Ledger, "commit">, { grip, steps }: { grip: Grip; steps: readonly StepRecord[] }): Journal {
  const entries = new Map<string, JournalEntry>(steps.map(({ id, state, attempt, outcome }) => [id, { state, attempt, outcome }]));
  /** Intended by this worker, with this fence. */
  const intended = new Set<string>();
  let last: Promise<unknown> = Promise.resolve();
  let waiting: readonly LedgerWrite[] = [];
  const commit = (writes: readonly LedgerWrite[]) => {
    const earlier = waiting;
    waiting = [];
    // One after the other: a commit that has to be repeated must not overtake another.
    const done = last.then(() => commitTogether(ledger, grip, { earlier, writes }));
    last = done.catch(() => {});
    return done;
  };
  const operationOf = (step: StepRef) => `op_${grip.deployment}_${step.id}`;
  const intention = (step: StepRef, { attempt, plugin }: { attempt: number; plugin: string | null }): Intention => {
    const { id, kind, service } = step;
    return { write: "step.intend", step: { id, kind, service, attempt, operationId: operationOf(step), plugin } };
  };
  const note = (step: StepRef, attempt: number) => {
    intended.add(step.id);
    entries.set(step.id, { state: "intended", attempt, outcome: null });
  };
  return {
    states: () => Object.fromEntries([...entries].map(([id, { state }]) => [id, state])),
    entry: (step) => entries.get(step),
    commit,
    async intend(step, { plugin = null, writes = [] }) {
      const attempt = entries.get(step.id)?.attempt ?? 1;
      if (!intended.has(step.id)) {
        await commit([intention(step, { attempt, plugin }), ...writes]);
        note(step, attempt);
      } else if (writes.length > 0) await commit(writes);
      return operationOf(step);
    },
    async end(step, { state, outcome, error, writes = [], mayWait = false, times }) {
      const attempt = entries.get(step.id)?.attempt ?? 1;
      const isIntended = entries.get(step.id)?.state === "intended";
      const first = isIntended ? [] : [{ ...intention(step, { attempt, plugin: null }), ...(times && { at: times.began }) }];
      const at = !isIntended && times ? { at: times.ended } : {};
      const end: LedgerWrite = { write: "step.end", step: step.id, state, ...(outcome && { outcome }), ...(error && { error }), ...at };
      if (mayWait) waiting = [...waiting, ...first, end, ...writes];
      else await commit([...first, end, ...writes]);
      intended.delete(step.id);
      entries.set(step.id, { state, attempt, outcome: outcome ?? null });
    },
    async retry(step, { plugin, error }) {
      const attempt = (entries.get(step.id)?.attempt ?? 1) + 1;
      const told: LedgerWrite = { write: "event", type: "step.retried", data: { step: step.id, attempt, error } };
      await commit([intention(step, { attempt, plugin }), told]);
      note(step, attempt);
    },
  };
}
