import { errorsPage } from "./errors-page.ts";
import { faultsPage } from "./faults-page.ts";
import type { Generator } from "./generator.ts";
import { guardrails } from "./guardrails.ts";
import { guardrailsPage } from "./guardrails-page.ts";
import { manifestSchema } from "./manifest-schema.ts";
import { openApi } from "./openapi.ts";
import { performancePage } from "./performance-page.ts";
import { policyInputSchema } from "./policy-input-schema.ts";
import { pluginManifestSchema } from "./plugin-manifest-schema.ts";
import { pluginManifests } from "./plugin-manifests.ts";

/** All generators. A new one is a file here and a line in this list. */
export const generators: readonly Generator[] = [
  pluginManifests,
  pluginManifestSchema,
  manifestSchema,
  openApi,
  errorsPage,
  faultsPage,
  guardrails,
  guardrailsPage,
  performancePage,
  policyInputSchema,
];
