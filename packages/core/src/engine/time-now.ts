import type { EngineDeps } from "./deps.ts";

/** ISO 8601. */
export function timeNow({ clock }: Pick<EngineDeps, "clock">): string {
  return new Date(clock.now()).toISOString();
}
