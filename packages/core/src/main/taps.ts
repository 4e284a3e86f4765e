import type { Dispatcher } from "../ports/index.ts";
import type { ROADS } from "../engine/boundaries.ts";
import { openFaults } from "./faults/index.ts";
import { traceTo } from "./trace.ts";

/** The ports that can be listened to. */
export type PortName = keyof typeof ROADS | "policy" | "secrets";

/** What the composition root puts around the parts that it opens. */
export interface Taps {
  port<T extends object>(name: PortName, port: T): T;
  dispatcher<T extends Dispatcher>(dispatcher: T): T;
}

/** `HELIX_FAULT` names a folder of faults (see `test/faults`), `HELIX_TRACE` a file for the time of each call. Without them each part is used as it is. */
export function openTaps(env: Readonly<Record<string, string | undefined>>): Taps {
  const { HELIX_FAULT: faults, HELIX_TRACE: trace } = env;
  const taps = [...(faults ? [openFaults(faults)] : []), ...(trace ? [traceTo(trace)] : [])];
  return {
    port: (name, port) => taps.reduce((inner, tap) => tap.port(name, inner), port),
    dispatcher: (dispatcher) => taps.reduce((inner, tap) => tap.dispatcher(inner), dispatcher),
  };
}
