import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type CompiledPack } from "../../../packages/core/src/adapters/opa/evaluator.ts";
import { openPack } from "../../../packages/core/src/adapters/opa/pack.ts";
import { readBundle } from "../../../packages/core/src/adapters/opa/read-bundle.ts";
import { guardrails } from "./opa.ts";

export const ENTRYPOINT = "helix/guardrails/decision";

/** A shipped bundle, ready to be asked, with other parameters where some are given. */
export async function shippedPack(
  maturity: string,
  parameters?: object,
): Promise<{ readonly compiled: CompiledPack; readonly data: object; readonly wasm: Buffer }> {
  const bundle = await readBundle(await readFile(join(guardrails, "bundles", `${maturity}.tar.gz`)));
  const pack = await openPack(bundle, { file: maturity, signedBy: "", endsAt: null });
  const helix = (pack.data as { helix: object }).helix;
  const data = { helix: parameters ? { ...helix, parameters } : helix };
  return {
    compiled: { id: `${maturity} ${JSON.stringify(parameters)}`, name: maturity, module: pack.module, data: JSON.stringify(data) },
    data,
    wasm: bundle.wasm,
  };
}
