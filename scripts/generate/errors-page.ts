import { PLUGIN_ERRORS } from "@helixstack/sdk";
import { ENGINE_ERRORS, type ErrorCode, errorRow } from "../../packages/core/src/domain/errors.ts";
import { type Generator, markdownFile } from "./generator.ts";

const INTRODUCTION = `
# Errors

Every error has a code that never changes its meaning. The CLI, the API and the deployment's record show the same one; \`helix explain CODE\` prints its section
of this page. *Retryable* says whether the same call may succeed later without anybody changing anything: the engine then tries again by itself.
`;

/** \`docs/errors.md\`: a section a code, from the two tables that the code itself uses. */
export const errorsPage: Generator = async () => {
  const engine = sections("Errors of the engine", Object.keys(ENGINE_ERRORS));
  const plugins = sections("Errors of plugins", Object.keys(PLUGIN_ERRORS));
  return [markdownFile("docs/errors.md", [INTRODUCTION.trim(), engine, plugins].join("\n\n"))];
};

function sections(title: string, codes: readonly string[]): string {
  return [`## ${title}`, ...codes.toSorted().map((code) => section(code as ErrorCode))].join("\n\n");
}

function section(code: ErrorCode): string {
  const { sentence, exit, status, retryable, hint } = errorRow(code);
  return [
    `### ${code}`,
    sentence,
    `Exit code ${exit}, HTTP status ${status}, ${retryable ? "retryable" : "not retryable"}.`,
    `What to do: ${hint}`,
  ].join("\n\n");
}
