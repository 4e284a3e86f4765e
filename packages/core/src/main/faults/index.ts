import { join } from "node:path";
import { ROADS } from "../../engine/boundaries.ts";
import type { Taps } from "../taps.ts";
import { faultFolder } from "./fault-folder.ts";
import { moveClock } from "./moved-clock.ts";
import { interceptDispatcher, interceptPort } from "./intercept.ts";

/** Fault points on every road to the world: what happens at them stands in a folder, and what the clock shows. */
export function openFaults(folder: string): Taps {
  moveClock(join(folder, "clock"));
  const point = faultFolder(folder);
  return {
    port: (name, port) => (name in ROADS ? interceptPort(port, { road: name as keyof typeof ROADS, point }) : port),
    dispatcher: (dispatcher) => interceptDispatcher(dispatcher, point),
  };
}
