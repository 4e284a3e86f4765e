import { stringify } from "yaml";
import type { FoundService } from "./found-services.ts";

export interface ManifestTextInput {
  readonly project: string;
  readonly services: readonly FoundService[];
  /** Names that `.env` has. */
  readonly secrets?: readonly string[];
  /** Written for each service where it was asked for. */
  readonly runtime: string | null;
}

/** A manifest with what was found, and why, as comments. */
export function manifestText({ project, services, secrets = [], runtime }: ManifestTextInput): string {
  const blocks = services.map(({ name, source, build }) => {
    const { build: _, ...suggested } = build.service ?? {};
    const lines = [`source: ${scalar(source)}`, `build: ${scalar(build.plugin)} # ${oneLine(build.why)}`];
    if (runtime !== null) lines.push(`runtime: ${scalar(runtime)}`);
    if (secrets.length > 0) lines.push(`secrets: [${secrets.join(", ")}] # values: helix env push`);
    if (Object.keys(suggested).length > 0) lines.push(...stringify(suggested).trimEnd().split("\n"));
    return [`  ${name}:`, ...lines.map((line) => `    ${line}`)].join("\n");
  });
  return `# What \`helix deploy\` makes of this folder. Every key: docs/manifest.md of HelixStack.
project: ${scalar(project)}
services:
${blocks.join("\n")}
`;
}

function scalar(value: string): string {
  return stringify(value).trimEnd();
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}
