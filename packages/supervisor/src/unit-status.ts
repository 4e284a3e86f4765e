import type { ProcessIdentity } from "./proc.ts";
import type { UnitRecord } from "./records.ts";
import type { UnitPhase, UnitStatus } from "./unit.ts";

/** What is known of a unit's process besides its record. */
export interface Live {
  readonly process: { readonly identity: ProcessIdentity; readonly isAlive: boolean; readonly isStopped: boolean } | null;
  readonly isRestartPending: boolean;
}

/** A unit as others see it. What `/proc` says counts more than what was asked for. */
export function describeUnit(record: UnitRecord, live: Live): Omit<UnitStatus, "usage"> {
  const { unit, restarts, lastExit, fence, createdAt, port } = record;
  const process = live.process?.isAlive ? live.process.identity : null;
  return {
    name: unit.name,
    role: unit.role,
    labels: unit.labels,
    phase: phaseOf(record, live),
    desired: unit.desired,
    pid: process?.pid ?? null,
    startTicks: process?.startTicks ?? null,
    port,
    restarts,
    lastExit,
    startedAt: process === null ? null : (record.process?.at ?? null),
    createdAt,
    specDigest: unit.specDigest,
    fence,
  };
}

function phaseOf({ unit }: UnitRecord, { process, isRestartPending }: Live): UnitPhase {
  if (process?.isAlive) return process.isStopped ? "frozen" : "running";
  if (unit.desired === "stopped") return "stopped";
  const isEndUnseen = process !== null && unit.restart.policy === "always" && unit.desired === "running";
  return isRestartPending || isEndUnseen ? "backing-off" : "exited";
}
