import { faultFolder } from "./fault-folder.ts";
import { interceptDispatcher, interceptPort } from "./intercept.ts";
import type { ROADS } from "../../engine/boundaries.ts";
import type { Dispatcher } from "../../ports/index.ts";

/** How the composition root puts fault points into what it opens. */
export interface Faults {
  port<T extends object>(road: keyof typeof ROADS, port: T): T;
  dispatcher<T extends Dispatcher>(dispatcher: T): T;
}

const NONE: Faults = { port: (_, port) => port, dispatcher: (dispatcher) => dispatcher };

/**
 * Fault points on every road to the world, where `HELIX_FAULT` names a folder of faults (see `test/faults`). Without it each part is used as it is.
 */
export function openFaults(env: Readonly<Record<string, string | undefined>>): Faults {
  const folder = env["HELIX_FAULT"];
  if (!folder) return NONE;
  const point = faultFolder(folder);
  return {
    port: (road, port) => interceptPort(port, { road, point }),
    dispatcher: (dispatcher) => interceptDispatcher(dispatcher, point),
  };
}
