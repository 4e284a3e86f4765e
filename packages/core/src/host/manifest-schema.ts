import { ARTIFACT_KINDS } from "@helixstack/sdk";
import { Type } from "typebox";

const strings = Type.Array(Type.String());
const jsonSchema = Type.Object({}, { additionalProperties: true, description: "A JSON Schema." });
const artifactKinds = Type.Array(Type.Enum([...ARTIFACT_KINDS]), { minItems: 1 });
const endpointKind = Type.Enum(["http", "provider-url", "tcp", "none"]);
const fencing = Type.Enum(["fence", "names", "none"]);
const stateVersion = Type.Integer({ minimum: 1 });
const closed = { additionalProperties: false };

/** Schema of `helix-plugin.json`. The contract version and the engine's range are looked at before it. */
export const PluginManifestSchema = Type.Object(
  {
    $comment: Type.Optional(Type.String()),
    $schema: Type.Optional(Type.String()),
    contract: Type.Integer({ description: "Version of the plugin contract." }),
    name: Type.String({
      pattern: "^[a-z][a-z0-9]*(-[a-z0-9]+)*$",
      maxLength: 40,
      description: "The name under which helix.yaml chooses it.",
    }),
    version: Type.String({ description: "Semver of the plugin." }),
    engine: Type.String({ description: "Semver range of the engines it works with." }),
    description: Type.String({ minLength: 1, maxLength: 200 }),
    entry: Type.String({ pattern: "^\\./", description: "The plugin's module, relative to this file." }),
    config: jsonSchema,
    permissions: Type.Object({ net: strings, secrets: strings, exec: strings, fs: strings }, closed),
    capabilities: Type.Array(Type.String({ pattern: "^(build|runtime|delivery)\\.[a-zA-Z]+$" }), {
      description: "Optional verbs, read from the code.",
    }),
    daemons: Type.Array(Type.Object({ role: Type.String({ pattern: "^[a-z][a-z0-9-]*$" }), entry: Type.String({ minLength: 1 }) }, closed)),
    planes: Type.Object(
      {
        build: Type.Optional(Type.Object({ produces: artifactKinds, spec: jsonSchema }, closed)),
        runtime: Type.Optional(
          Type.Object(
            { accepts: artifactKinds, exposes: endpointKind, spec: jsonSchema, state: jsonSchema, stateVersion, fencing },
            closed,
          ),
        ),
        delivery: Type.Optional(
          Type.Object({ routes: Type.Array(endpointKind, { minItems: 1 }), state: jsonSchema, stateVersion, fencing }, closed),
        ),
      },
      { ...closed, minProperties: 1 },
    ),
  },
  { ...closed, title: "helix-plugin.json", description: "What a plugin is, without running its code." },
);
