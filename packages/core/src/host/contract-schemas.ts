import type { PlaneName } from "@helixstack/sdk";
import { type TSchema, Type } from "typebox";
import {
  BuildResult,
  Change,
  Detection,
  DrainResult,
  LogLine,
  Owned,
  RevisionStats,
  RunResult,
  VolumeHandle,
  observedRevision,
  observedTable,
} from "./contract-shapes.ts";

/** Makes the schema of a verb's answer from the plugin's own schema of its state. */
type AnswerSchema = (state: TSchema) => TSchema;

const nothing: AnswerSchema = () => Type.Null();
const orNull = (schema: TSchema): TSchema => Type.Union([schema, Type.Null()]);

/**
 * What each verb of contract 1 must answer. Unknown fields are refused: a field that is dropped in silence is one that its author believes in.
 * For verbs that stream it is the schema of one item.
 */
export const ANSWERS: Readonly<Record<PlaneName, Readonly<Record<string, AnswerSchema>>>> = {
  build: {
    toolchain: () => Type.String({ minLength: 1 }),
    detect: () => Detection,
    build: () => BuildResult,
    has: () => Type.Boolean(),
    prune: () => Type.Object({ freedBytes: Type.Number({ minimum: 0 }) }, { additionalProperties: false }),
  },
  runtime: {
    observe: (state) => orNull(observedRevision(state)),
    plan: () => Type.Array(Change),
    apply: observedRevision,
    destroy: nothing,
    list: () => Type.Array(Owned),
    suspend: observedRevision,
    logs: () => LogLine,
    run: () => RunResult,
    hostAddress: () => Type.Object({ address: Type.String({ minLength: 1 }) }, { additionalProperties: false }),
    ensureVolume: () => VolumeHandle,
    destroyVolume: nothing,
  },
  delivery: {
    observe: (state) => orNull(observedTable(state)),
    plan: () => Type.Array(Change),
    apply: observedTable,
    destroy: nothing,
    list: () => Type.Array(Owned),
    drain: () => DrainResult,
    stats: () => Type.Array(RevisionStats),
  },
};

/** Verbs that stream, as `plane.verb`. */
export const STREAMING: ReadonlySet<string> = new Set(["runtime.logs"]);

/** Verbs that change what a daemon of the plugin serves, so that it must run before they are called. */
export const MUTATING: ReadonlySet<string> = new Set(["apply", "destroy", "drain", "setWeight"]);
