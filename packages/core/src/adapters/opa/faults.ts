import { EngineError } from "../../domain/errors.ts";

/** Everything that can keep the policies from being asked. Each refuses; `docs/guardrails.md` says so for every one of them. */
export const POLICY_FAULTS = {
  "bundle-missing": "A bundle that has to decide is not there.",
  "bundle-corrupt": "A bundle cannot be read, or a file in it is not what the signature says.",
  "signature-stripped": "A bundle carries no signature.",
  "signature-partial": "A bundle's signature does not cover all of its files, and no others.",
  "wrong-key": "A bundle is signed by a key that is not trusted, or in a way that is not accepted.",
  "bundle-expired": "A bundle's time is over.",
  "bundle-older": "A bundle is older than one that was in force before.",
  "entrypoint-missing": "A bundle does not answer the question that is asked.",
  "builtin-missing": "A policy calls a function that is not there.",
  "wasm-trap": "A policy broke off.",
  "out-of-memory": "A policy needs more memory than it may have.",
  "endless-loop": "A policy took longer than it may.",
  "result-undefined": "A policy gave no answer.",
  "result-not-boolean": "A policy's answer is not a yes or a no.",
  "result-malformed": "A policy's answer has findings that cannot be understood.",
  "input-too-large": "What is to be decided on is larger than policies take.",
  "clock-skew": "The clock of this machine cannot be right.",
  "parameters-invalid": "The operator's parameters are not valid.",
  "decision-log-down": "The decision could not be written down.",
} as const;

export type PolicyFault = keyof typeof POLICY_FAULTS;

/** The refusal of everything that cannot be decided. The fault stands in `details.fault`. */
export function unavailable(fault: PolicyFault, message: string, { hint, cause }: { hint?: string; cause?: unknown } = {}): EngineError {
  return new EngineError("POLICY_UNAVAILABLE", message, { hint, cause, details: { fault } });
}
