export { type ServerLogger, createLogger } from "./logger.ts";
export { meteredLedger } from "./metered-ledger.ts";
export { type MetricSources, type Metrics, createMetrics } from "./metrics.ts";
