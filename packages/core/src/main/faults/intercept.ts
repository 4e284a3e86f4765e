import { type Moment, ROADS, callBoundary, commitBoundary } from "../../engine/boundaries.ts";
import type { Dispatcher, Grip, LedgerWrite, PluginCall } from "../../ports/index.ts";

/** Told of each boundary that is crossed. What it does there is its own affair: a process may end in it. */
export interface FaultPoint {
  cross(crossing: Crossing): Promise<void>;
}

export interface Crossing {
  readonly moment: Moment;
  readonly boundary: string;
  /** The deployment, run or operation that it belongs to, as far as that is known. */
  readonly subject: string | null;
}

type Method = (...input: unknown[]) => Promise<unknown>;

/** The same port; each of its effects is told to the fault point. */
export function interceptPort<T extends object>(port: T, { road, point }: { road: keyof typeof ROADS; point: FaultPoint }): T {
  const roads: Readonly<Record<string, string>> = ROADS[road];
  const wrapped = Object.entries(port)
    .filter(([name, member]) => roads[name] === "effect" && typeof member === "function")
    .map(([name, method]) => [
      name,
      (...input: unknown[]) => around(point, { ...describe(road, name, input) }, () => (method as Method).apply(port, input)),
    ]);
  return { ...port, ...Object.fromEntries(wrapped) };
}

/** The same dispatcher; calls that only read are not told. */
export function interceptDispatcher<T extends Dispatcher>(dispatcher: T, point: FaultPoint): T {
  return {
    ...dispatcher,
    call(call: PluginCall) {
      const boundary = callBoundary(call);
      return boundary === null
        ? dispatcher.call(call)
        : around(point, { boundary, subject: call.operationId }, () => dispatcher.call(call));
    },
  };
}

type Boundary = Omit<Crossing, "moment">;

async function around<T>(point: FaultPoint, boundary: Boundary, effect: () => Promise<T>): Promise<T> {
  await point.cross({ ...boundary, moment: "before" });
  const running = effect();
  // It may fail while the fault point still looks.
  running.catch(() => {});
  await point.cross({ ...boundary, moment: "inside" });
  const result = await running;
  await point.cross({ ...boundary, moment: "after" });
  return result;
}

function describe(road: string, name: string, input: readonly unknown[]): Boundary {
  if (road === "ledger" && name === "commit") {
    const [grip, writes] = input as [Grip, readonly LedgerWrite[]];
    return { boundary: commitBoundary(writes), subject: grip.deployment };
  }
  const job = input[0] as { readonly run?: unknown } | undefined;
  return { boundary: `${road}.${name}`, subject: typeof job?.run === "string" ? job.run : null };
}
