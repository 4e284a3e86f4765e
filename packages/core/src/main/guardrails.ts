import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type GuardrailSettings, type OpaPolicy, createOpaPolicy, readGuardrailSettings } from "../adapters/opa/index.ts";
import type { HomeLayout } from "../config/index.ts";
import type { ServerLogger } from "../telemetry/index.ts";
import { readOperatorConfig } from "./operator-config.ts";

/** The policies of a home: the packs that ship, the operator's in `policies/`, the keys that those are signed with in `keys/policy/`. */
export function openGuardrails({ root, data, keys }: HomeLayout, logger: ServerLogger): OpaPolicy {
  return createOpaPolicy({
    shipped: fileURLToPath(new URL("../../../../guardrails/bundles", import.meta.url)),
    installed: join(root, "policies"),
    kept: join(data, "policies"),
    keys: join(keys, "policy"),
    settings: settingsOf(root),
    onProblem: ({ file, error, isKept }) =>
      logger.error({ file, fault: error.options.details?.["fault"], isKept }, `a policy bundle is not taken: ${error.message}`),
  });
}

/** The operator's settings, read again when the file changes: a freeze does not wait for a restart. */
function settingsOf(home: string): () => GuardrailSettings {
  const file = join(home, "config.yaml");
  let seen = "";
  let settings: GuardrailSettings = {};
  return () => {
    const now = existsSync(file) ? `${statSync(file).mtimeMs} ${statSync(file).size}` : "none";
    if (now === seen) return settings;
    settings = readGuardrailSettings(readOperatorConfig(home).guardrails);
    seen = now;
    return settings;
  };
}
