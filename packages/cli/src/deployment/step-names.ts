import type { StepKind } from "@helixstack/core/client";

interface StepName {
  readonly words: string;
  readonly plane: string | null;
}

const NAMES: Readonly<Record<StepKind, StepName>> = {
  plan: { words: "plan", plane: null },
  "policy-plan": { words: "policy on the plan", plane: null },
  build: { words: "build", plane: "build" },
  "policy-artifact": { words: "policy on artifacts", plane: null },
  reserve: { words: "reserve ports", plane: "delivery" },
  volume: { words: "volume", plane: "runtime" },
  hold: { words: "hold requests", plane: "delivery" },
  halt: { words: "stop the old", plane: "runtime" },
  task: { words: "task", plane: "runtime" },
  apply: { words: "start", plane: "runtime" },
  verify: { words: "health", plane: "runtime" },
  "policy-release": { words: "policy on the release", plane: null },
  route: { words: "switch traffic", plane: "delivery" },
  unroute: { words: "take out of traffic", plane: "delivery" },
  release: { words: "record", plane: null },
  drain: { words: "drain", plane: "runtime" },
  freeze: { words: "freeze", plane: "runtime" },
  retire: { words: "remove", plane: "runtime" },
  erase: { words: "erase", plane: "runtime" },
};

interface NamedStep {
  /** `kind`, `kind:service` or `kind:service:subject`, with `undo:` in front where it is taken back. */
  readonly id: string;
  readonly kind: string;
  readonly service: string | null;
}

/** How a step is called and in which colour it is shown. Kinds of a newer control plane go by their own name. */
export function stepName({ id, kind, service }: NamedStep): { readonly title: string; readonly plane: string | null } {
  const { words, plane } = NAMES[kind as StepKind] ?? { words: kind, plane: null };
  const subject = kind === "task" || kind === "volume" ? (id.split(":").at(-1) ?? null) : null;
  return { title: [id.startsWith("undo:") && "undo", words, service, subject].filter(Boolean).join(" "), plane };
}
