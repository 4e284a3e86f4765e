/** The states of a deployment. The last four are terminal: exactly one of them ends every deployment. */
export const DEPLOYMENT_STATES = ["queued", "running", "compensating", "live", "failed", "cancelled", "superseded"] as const;
export type DeploymentState = (typeof DEPLOYMENT_STATES)[number];
export const TERMINAL_STATES = ["live", "failed", "cancelled", "superseded"] as const satisfies readonly DeploymentState[];

/**
 * The states of a revision. `starting`: recorded, not serving yet; `serving`: in the route table; `draining`: out of it, finishing;
 * `warm`: frozen for a rollback; `retiring`: being removed; `gone`: observed to be gone; `forgotten`: a person said so.
 */
export const REVISION_STATES = ["starting", "serving", "draining", "warm", "retiring", "gone", "forgotten"] as const;
export type RevisionState = (typeof REVISION_STATES)[number];

/** The states of a journalled step. `unknown`: the intent is written, the worker died, and the outcome was not seen. */
export const STEP_STATES = ["intended", "done", "failed", "skipped", "undone"] as const;
export type StepState = (typeof STEP_STATES)[number];

export function isTerminal(state: DeploymentState): boolean {
  return (TERMINAL_STATES as readonly DeploymentState[]).includes(state);
}
