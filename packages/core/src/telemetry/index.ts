export { type ServerLogger, createLogger } from "./logger.ts";
export { type MetricSources, type Metrics, createMetrics } from "./metrics.ts";
