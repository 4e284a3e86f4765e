import { ENGINE_ERRORS, type EngineErrorRow, type ErrorCode, errorRow } from "@helixstack/core/client";
import { PLUGIN_ERRORS } from "@helixstack/sdk";

/** Whether a code is one of the two tables. A newer control plane may send others. */
export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ENGINE_ERRORS, code) || Object.hasOwn(PLUGIN_ERRORS, code);
}

/** All codes there are, sorted. */
export function errorCodes(): readonly ErrorCode[] {
  return [...Object.keys(ENGINE_ERRORS), ...Object.keys(PLUGIN_ERRORS)].sort() as ErrorCode[];
}

export function rowOf(code: ErrorCode): EngineErrorRow {
  return errorRow(code);
}
