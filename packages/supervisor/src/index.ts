export { type FenceOptions, type LogOptions, type StopOptions, SupervisorClient } from "./client.ts";
export { emptyCoreDumps } from "./core-dumps.ts";
export { SupervisorError, type SupervisorErrorCode } from "./errors.ts";
export { folderSecret } from "./folder-secret.ts";
export { prepareSocket, socketPath } from "./paths.ts";
export { bootId, isAlive, isStopped, type ProcessIdentity, processIdentity } from "./proc.ts";
export { startSupervisor } from "./start.ts";
export type { Desired, RestartRule, Unit, UnitLogLine, UnitPhase, UnitStatus, Usage } from "./unit.ts";
