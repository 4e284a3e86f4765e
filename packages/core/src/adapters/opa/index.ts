export { POLICY_FAULTS, type PolicyFault } from "./faults.ts";
export { type GuardrailSettings, readGuardrailSettings } from "./parameters.ts";
export { type OpaPolicy, type OpaPolicyOptions, createOpaPolicy } from "./opa-policy.ts";
