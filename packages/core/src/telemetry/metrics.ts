import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from "prom-client";
import type { StepKind } from "../domain/plan.ts";
import type { DeploymentState } from "../domain/states.ts";

/** What is counted, under names that dashboards may rely on. */
export interface Metrics {
  /** The text that `GET /metrics` answers, in the Prometheus format. */
  text(): Promise<string>;
  readonly contentType: string;
  /** A deployment came into this state. */
  deployment(state: DeploymentState): void;
  /** A step ended. Seconds, also for steps of less than one. */
  step(input: { readonly kind: StepKind; readonly outcome: "done" | "failed"; readonly seconds: number }): void;
  /** A request was answered. `route` is the pattern, never the path. */
  request(input: { readonly method: string; readonly route: string; readonly status: number; readonly seconds: number }): void;
  /** An event stream was opened; the returned function closes it. */
  stream(route: string): () => void;
  /** Asked at each scrape. A source that fails is left out of that scrape. */
  watch(sources: MetricSources): void;
}

/** Figures that are read when somebody asks. */
export interface MetricSources {
  readonly queueDepth?: () => Promise<number>;
}

const STEP_SECONDS = [0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 1800];
const REQUEST_SECONDS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5];

/** A registry of its own: two servers in one process (tests) share nothing. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: "helix_" });
  const registers = [registry];
  const deployments = new Counter({
    name: "helix_deployments_total",
    help: "Deployments that came into a state.",
    labelNames: ["state"],
    registers,
  });
  const steps = new Histogram({
    name: "helix_step_duration_seconds",
    help: "Time that steps took.",
    labelNames: ["kind", "outcome"],
    buckets: STEP_SECONDS,
    registers,
  });
  const requests = new Histogram({
    name: "helix_http_request_duration_seconds",
    help: "Time until an answer was sent.",
    labelNames: ["method", "route", "status"],
    buckets: REQUEST_SECONDS,
    registers,
  });
  const streams = new Gauge({ name: "helix_http_streams", help: "Event streams that are open.", labelNames: ["route"], registers });
  return {
    text: () => registry.metrics(),
    contentType: registry.contentType,
    deployment: (state) => deployments.inc({ state }),
    step: ({ kind, outcome, seconds }) => steps.observe({ kind, outcome }, seconds),
    request: ({ method, route, status, seconds }) => requests.observe({ method, route, status }, seconds),
    stream(route) {
      streams.inc({ route });
      return () => streams.dec({ route });
    },
    watch: (sources) => watchSources(registry, sources),
  };
}

function watchSources(registry: Registry, { queueDepth }: MetricSources): void {
  if (!queueDepth) return;
  new Gauge({
    name: "helix_queue_depth",
    help: "Wake-ups that wait for a worker.",
    registers: [registry],
    async collect() {
      const depth = await queueDepth().catch(() => null);
      if (depth === null) this.reset();
      else this.set(depth);
    },
  });
}
