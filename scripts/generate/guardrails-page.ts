import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { POLICY_FAULTS } from "../../packages/core/src/adapters/opa/faults.ts";
import { MATURITIES } from "../../packages/core/src/domain/manifest.ts";
import { type Generator, markdownFile, root } from "./generator.ts";

interface Data {
  readonly helix: {
    readonly catalog?: Readonly<Record<string, Rule>>;
    readonly levels?: Readonly<Record<string, string>>;
    readonly parameters?: object;
  };
}

interface Rule {
  readonly title: string;
  readonly points: readonly string[];
}

const INTRODUCTION = `
# Guardrails

Every deployment is decided on three times: on its plan, on what was built, and before requests go to it. A finding has a level. *advisory* says so. *mandatory* refuses. *soft-mandatory* refuses unless somebody
else than who deploys has left a waiver. A refusal exits 5, and says for each finding what is needed, where it stands in \`helix.yaml\`, and how to mend it; \`helix policy explain\` says more.

## Which rules count

\`guardrails: { maturity: ... }\` in \`helix.yaml\` chooses the column; the default is \`mvp\`. \`helix policy ls\` shows what is in force.
`;

const OPERATOR = `
## Bounds, without Rego

An operator sets bounds, and the least maturity that an environment may claim, in \`config.yaml\` of the home. They count from the next decision on. What is not a parameter, or not of its form, refuses
everything until it is corrected.

\`\`\`yaml
guardrails:
  parameters:
    replicas: { min: 1, max: 8 }
    labels: [cost-center]
    providers: { build: null, runtime: [docker], delivery: null }   # null: any
    freeze:
      - { name: Friday afternoon, days: [Friday], from: "16:00", to: "24:00", zone: Europe/Berlin }
      - { name: holidays, from: "2026-12-20T00:00:00+01:00", to: "2027-01-02T00:00:00+01:00", environments: [production] }
  environments:
    production: { minimum: production }
\`\`\`

A freeze window lets rollbacks through, unless it says \`rollback: false\`. \`cost.monthlyMax\` waits for a provider that knows a price: none of those that ship does, so \`cost\` is null in every input, and the rule
\`cost-limit\` is silent. The parameters, as \`production\` ships them:
`;

const AUTHORING = `
## Rules of your own

\`\`\`sh
helix policy init                  # writes policy/ with a rule and its test
helix policy test                  # needs the program opa, on PATH or named in HELIX_OPA
helix policy backtest policy       # what it would have said of the last 200 deployments
helix policy build --install       # compiled, signed, in force from the next deploy on
\`\`\`

Packs in the layout of conftest work as they are: \`deny\` and \`violation\` in package \`main\` refuse, \`warn\` advises, and \`input\` is the resolved manifest. Those written in Rego v0 are built with \`--v0-compatible\`. A pack that
wants more defines \`decision := {"allow": ..., "findings": ...}\` in a package of its own, and gets the whole input: [schemas/policy-input.json](../schemas/policy-input.json). No pack can allow what another refuses.

Bundles are signed. \`keys/policy/*.pem\` of the home holds the public keys that are trusted; \`helix policy build\` makes a key of the home's own on first use. A bundle that is bad in any way changes nothing: the last good edition
goes on deciding, and \`helix policy ls\` says so. To retire a pack, remove it from \`policies/\` and from \`data/policies/\` of the home.

## Waivers

\`helix policy waive RULE --for 24h --reason "..."\` lets deployments of others pass a soft-mandatory rule, for 30 days at most. It does not count for deployments of the principal that left it. Principals are tokens until there are
accounts: a person who holds two tokens is two of them, and the record of the decision names both.
`;

const ROADS = `
## There is no way round

Deploy, rollback, more replicas and what follows a restore are asked about anew. Whoever goes on where a worker was killed asks again. What goes back or is repaired by itself carries the decision that its release was allowed with, whose input
and bundle digests have to be those on record. \`packages/core/test/engine/ways-to-live.test.ts\` lists these places from the source and turns red without the check on any of them;
\`node --conditions=source --import tsx test/guardrails/no-way-round.ts\` takes the checks out of a copy of the engine, one after the other, and shows what then happens being noticed.
`;

const CLOSED = `
## Nothing is allowed by error

Each cell of this table is a test (\`packages/core/test/opa/fails-closed.test.ts\`, and for the decision log \`packages/core/test/engine/no-way-round.test.ts\`). Where a bundle is at fault and a good edition was in force before, that edition
decides in its place; where none was, everything is refused with \`POLICY_UNAVAILABLE\`.
`;

/** \`docs/guardrails.md\`: rules by level, parameters, and what happens when policies cannot be asked. */
export const guardrailsPage: Generator = async () => {
  const { catalog = {} } = (await data("baseline")).helix;
  const levels = await Promise.all(MATURITIES.map(async (maturity) => (await data(maturity)).helix));
  const rules = Object.entries(catalog).map(([rule, { title, points }]) => [
    `\`${rule}\``,
    title,
    points.join(", "),
    ...levels.map((one) => one.levels?.[rule] ?? "mandatory"),
  ]);
  const faults = Object.entries(POLICY_FAULTS).map(([fault, sentence]) => [
    `\`${fault}\``,
    sentence,
    ...MATURITIES.map(() => "refused, exit 5"),
  ]);
  const parts = [
    INTRODUCTION.trim(),
    table(["rule", "asks that", "decided at", ...MATURITIES], rules),
    OPERATOR.trim(),
    `\`\`\`json\n${JSON.stringify(levels.at(-1)!.parameters, null, 2)}\n\`\`\``,
    AUTHORING.trim(),
    ROADS.trim(),
    CLOSED.trim(),
    table(["fault", "", ...MATURITIES], faults),
  ];
  return [markdownFile("docs/guardrails.md", parts.join("\n\n"))];
};

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

async function data(folder: string): Promise<Data> {
  return JSON.parse(await readFile(join(root, "guardrails", folder, "data.json"), "utf8")) as Data;
}
