import type { Ledger, LedgerWrite } from "../ports/index.ts";
import type { Metrics } from "./metrics.ts";

type WriteOf<K extends LedgerWrite["write"]> = Extract<LedgerWrite, { write: K }>;

/** The same ledger; what is committed through it is counted. What another process writes, that process counts. */
export function meteredLedger(ledger: Ledger, metrics: Metrics): Ledger {
  const begun = new Map<
    string,
    { readonly kind: WriteOf<"step.intend">["step"]["kind"]; readonly at: number; readonly began: string | undefined }
  >();
  const steps = {
    begin: (run: string, { step, at }: WriteOf<"step.intend">) =>
      begun.set(`${run}/${step.id}`, { kind: step.kind, at: performance.now(), began: at }),
    end(run: string, { step, state, at: ended }: WriteOf<"step.end">) {
      const start = begun.get(`${run}/${step}`);
      begun.delete(`${run}/${step}`);
      if (!start || (state !== "done" && state !== "failed")) return;
      // A step that is written down only once it has ended says itself how long it took.
      const ms = start.began && ended ? Date.parse(ended) - Date.parse(start.began) : performance.now() - start.at;
      metrics.step({ kind: start.kind, outcome: state, seconds: ms / 1000 });
    },
  };
  return {
    ...ledger,
    async createDeployment(scope, input) {
      const created = await ledger.createDeployment(scope, input);
      if (!created.replayed) metrics.deployment("queued");
      return created;
    },
    async requestCancel(scope, id) {
      const asked = await ledger.requestCancel(scope, id);
      if (asked.state === "cancelled") metrics.deployment("cancelled");
      return asked;
    },
    async commit(grip, writes) {
      await ledger.commit(grip, writes);
      for (const write of writes) {
        if (write.write === "step.intend") steps.begin(grip.run, write);
        else if (write.write === "step.end") steps.end(grip.run, write);
        else if (write.write === "deployment.end") metrics.deployment(write.state);
        else if (write.write === "deployment.compensate") metrics.deployment("compensating");
      }
    },
  };
}
