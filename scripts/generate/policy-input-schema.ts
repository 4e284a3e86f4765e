import { PolicyInputSchema } from "../../packages/core/src/config/policy-input-schema.ts";
import { type Generator, jsonFile } from "./generator.ts";

/** The JSON Schema of what policies decide on. */
export const policyInputSchema: Generator = async () => [
  jsonFile("schemas/policy-input.json", {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "policy input",
    ...PolicyInputSchema,
  }),
];
