import type { DeliveryPlane, ObservedTable, PluginContext, Route } from "@helixstack/sdk";
import type { TableState } from "@helixstack/route-tables";

/** A delivery plugin of one machine with a real data plane in a folder of its own. */
export interface DeliveryWorld<Config = any> {
  readonly delivery: DeliveryPlane<Config, TableState>;
  /** The unit that is meant where none is named; a port derives from it, so that worlds do not meet. */
  readonly unit: string;
  readonly ctx: (unit?: string) => PluginContext<Config>;
  /** Switches to these routes, with the next generation where none is given. */
  readonly apply: (
    routes: readonly Partial<Route>[],
    options?: { unit?: string; generation?: number },
  ) => Promise<ObservedTable<TableState>>;
  /** Returns when the data plane takes orders. */
  readonly start: () => Promise<void>;
  readonly kill: (signal?: NodeJS.Signals) => Promise<void>;
  readonly stop: () => Promise<void>;
}
