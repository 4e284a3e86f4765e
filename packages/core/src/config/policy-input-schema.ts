import { ARTIFACT_KINDS } from "@helixstack/sdk";
import { type TSchema, Type } from "typebox";
import { MATURITIES } from "../domain/manifest.ts";

const Text = Type.String();
const Texts = Type.Array(Text);
const Whole = Type.Integer();
const orNull = (schema: TSchema): TSchema => Type.Union([schema, Type.Null()]);
const map = (schema: TSchema): TSchema => Type.Record(Type.String(), schema);
const shape = (properties: Record<string, TSchema>, description?: string): TSchema =>
  Type.Object(properties, { additionalProperties: false, ...(description !== undefined && { description }) });
const described = (schema: TSchema, description: string): TSchema => ({ ...schema, description }) as TSchema;

const service = shape(
  {
    source: Text,
    build: Text,
    runtime: Text,
    delivery: Text,
    start: orNull(Text),
    env: described(map(Text), "What looks like a secret is masked: `[masked: kind]`."),
    secrets: described(Type.Array(shape({ name: Text, as: Type.Enum(["env", "file", "build"]) })), "Names, never values."),
    health: shape({ path: orNull(Text), timeoutMs: Whole }),
    needs: Texts,
    volumes: map(shape({ path: Text, writers: Type.Enum(["single", "many"]) })),
    filesystem: Type.Enum(["writable", "read-only"]),
    tasks: map(Text),
    replicas: Whole,
    resources: shape({ memoryBytes: orNull(Type.Number()), cpu: orNull(Type.Number()) }),
    labels: map(Text),
    drainMs: Whole,
    options: map(Type.Unknown()),
  },
  "One service with every default filled in.",
);

const manifest = shape(
  {
    project: Text,
    services: map(service),
    guardrails: shape({ maturity: Type.Enum([...MATURITIES]) }),
    rollback: shape({ keep: Whole, forMs: Type.Number() }),
  },
  "helix.yaml, resolved for the environment. Packs in conftest's layout get this alone.",
);

const artifact = shape(
  {
    kind: Type.Enum([...ARTIFACT_KINDS]),
    digest: Text,
    uri: Text,
    metadata: Type.Unknown(),
    sizeBytes: orNull(Type.Number()),
    files: orNull(Whole),
    packages: described(Type.Array(shape({ name: Text, version: Text, installScripts: Type.Boolean() })), "Installed packages."),
    base: described(Texts, "Base images, as the Dockerfile names them."),
    user: described(orNull(Text), "The user that an image runs as: empty means root, null that it is no image."),
  },
  "What was built for a service.",
);

const plugin = shape({
  version: Text,
  digest: Text,
  permissions: shape({ net: Texts, secrets: Texts, exec: Texts, fs: Texts }),
  capabilities: Texts,
  planes: Texts,
});

const waiver = shape({
  id: Text,
  project: Text,
  environment: orNull(Text),
  rule: Text,
  path: orNull(Text),
  reason: Text,
  principal: shape({ id: Text, name: Text }),
  createdAt: Text,
  expiresAt: Text,
});

/** The document that policies decide on. Its JSON Schema is `schemas/policy-input.json`. */
export const PolicyInputSchema: TSchema = shape({
  point: Type.Enum(["plan", "artifact", "release"], { description: "Before the build, before the start, before requests go to it." }),
  time: Type.String({ description: "When it is decided, ISO 8601 in UTC." }),
  installation: Text,
  organization: Text,
  project: Text,
  environment: Text,
  actor: described(orNull(shape({ id: Text, kind: Type.Enum(["person", "token", "system"]), name: Text })), "Who asks."),
  deployment: described(
    orNull(shape({ id: Text, kind: Type.Enum(["deploy", "rollback", "destroy"]), message: orNull(Text), createdAt: Text })),
    "Null for `helix plan`.",
  ),
  manifest,
  origin: described(orNull(shape({ file: Text, lines: map(Whole) })), "Where the manifest's keys stand in its file."),
  plan: shape(
    { services: Type.Array(Type.Unknown()), removed: Texts, changes: Type.Array(Type.Unknown()) },
    "What would happen: each service's action, and what differs from what is live.",
  ),
  artifacts: described(map(artifact), "By service; empty at `plan`."),
  sources: described(
    map(shape({ files: Whole, sizeBytes: Type.Number(), lockfiles: Texts })),
    "By service, where the source is still there.",
  ),
  plugins: described(map(plugin), "The plugins that take part, by name."),
  history: shape({
    live: orNull(shape({ release: Text, number: Whole, createdAt: Text })),
    deployments: Type.Array(shape({ id: Text, kind: Text, state: Text, createdAt: Text }), { description: "The last ten, newest first." }),
  }),
  waivers: described(Type.Array(waiver), "Waivers of this environment that are not over."),
  cost: described(orNull(shape({ monthly: Type.Number(), currency: Text })), "Null where no provider says."),
});
