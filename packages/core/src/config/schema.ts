import type { PluginManifest } from "@helixstack/sdk";
import { type TSchema, Type } from "typebox";
import { MATURITIES } from "../domain/manifest.ts";
import { ENVIRONMENT_PATTERN, NAME_PATTERN, VARIABLE_PATTERN } from "./names.ts";
import { sectionSchemas } from "./plugin-sections.ts";
import { DURATION_PATTERN, SIZE_PATTERN } from "./units.ts";

/**
 * The one schema of `helix.yaml`: it types the reader's checks, gives messages their words (`title`, `examples`) and is the source of
 * `schemas/helix.yaml.json`. Keys that begin with `x-` are the user's own and are not read.
 */
export function fileSchema(plugins: readonly PluginManifest[]): TSchema {
  const service = serviceProperties(plugins);
  return sealed(
    {
      project: Type.String({
        pattern: NAME_PATTERN,
        title: `a project name${NAME_WORDS}`,
        examples: ["shop", "my-app"],
        description: "Name of the project.",
      }),
      services: named("service", sealed(service), { minProperties: 1, description: "What is deployed, by name." }),
      environments: optional(
        Type.Record(Type.String(), sealed({ services: optional(named("service", asOverride(sealed(service)))) }), {
          ...closed(ENVIRONMENT_PATTERN, { title: "the name of an environment", examples: ["production", "preview/my-branch"] }),
          description: "What differs in one environment. Maps merge, null removes, everything else replaces.",
        }),
      ),
      guardrails: optional(
        sealed({ maturity: optional(Type.Enum([...MATURITIES], { description: "Which policies apply. Default: mvp." })) }),
      ),
      rollback: optional(
        sealed({
          keep: optional(Type.Integer({ minimum: 0, maximum: 10, description: "Former releases that stay warm. Default: 1." })),
          for: optional(duration("How long a former release stays warm. Default: 10m.")),
        }),
      ),
    },
    ["project", "services"],
  );
}

/** The schema of one service with nothing left to merge. */
export function serviceSchema(plugins: readonly PluginManifest[]): TSchema {
  return sealed(serviceProperties(plugins));
}

function serviceProperties(plugins: readonly PluginManifest[]): Record<string, TSchema> {
  const own = {
    source: Type.String({
      minLength: 1,
      title: "a folder",
      examples: [".", "./web"],
      description: "Folder of the service, relative to this file. Default: `.`.",
    }),
    build: plugin("Name of the build plugin. Detected where it is left out."),
    runtime: plugin("Name of the runtime plugin. Default: process."),
    delivery: plugin("Name of the delivery plugin. Default: router."),
    start: command("The start command. Default: what the build finds."),
    env: named("variable", Type.Union([Type.String(), Type.Number(), Type.Boolean()]), { description: "Plain environment variables." }),
    secrets: Type.Array(secretUse(), {
      description:
        "Secrets that the service may read: each is a file in SECRETS_DIR, and by default a variable too (for a built image, only with `as: env`).",
    }),
    health: sealed({
      path: Type.String({
        pattern: "^/(?![/\\\\])[^\\s#]*$",
        title: "a path that begins with one /",
        examples: ["/health"],
        description: "Must answer 2xx or 3xx.",
      }),
      timeout: duration("How long the service may take to become healthy. Default: 60s."),
    }),
    needs: Type.Array(name(`a service name${NAME_WORDS}`), {
      uniqueItems: true,
      description: "Services whose address is given as HELIX_SERVICE_<NAME>_URL.",
    }),
    volumes: named("volume", volumeUse(), { description: "Data that outlives revisions, by name." }),
    filesystem: Type.Enum(["writable", "read-only"], { description: "The revision's own work folder. Default: writable." }),
    tasks: named("task", command("A command that runs to its end."), {
      description: "Run once a deployment, before the switch, in this order.",
    }),
    replicas: Type.Integer({ minimum: 1, maximum: 100, description: "Instances side by side. Default: 1." }),
    resources: sealed({
      memory: Type.String({
        pattern: SIZE_PATTERN,
        title: "a size",
        examples: ["256Mi", "1Gi", "512M"],
        description: "Memory limit of one instance.",
      }),
      cpu: Type.Number({ exclusiveMinimum: 0, maximum: 1024, description: "Processor limit of one instance, in cores." }),
    }),
    labels: Type.Record(Type.String(), Type.Union([Type.String(), Type.Number(), Type.Boolean()]), {
      ...closed(LABEL_PATTERN, { title: "a label name", examples: ["owner", "team/cost-center"] }),
      description: "Words for people and policies.",
    }),
    drain: duration("Time for requests in flight when a revision is replaced. Default: 30s."),
  };
  // A plugin whose name is a key of ours never takes that key's meaning.
  return { ...own, ...sectionSchemas(plugins), ...own };
}

const LABEL_PATTERN = "^[A-Za-z0-9]([A-Za-z0-9._/-]{0,61}[A-Za-z0-9])?$";

/** An override says only what differs: what the base has already need not be said again. */
function asOverride(schema: TSchema): TSchema {
  return JSON.parse(JSON.stringify(schema), (key, value: unknown) => (key === "required" && Array.isArray(value) ? [] : value)) as TSchema;
}

function secretUse(): TSchema {
  const secret = Type.String({ pattern: VARIABLE_PATTERN, title: "a secret name", examples: ["DATABASE_PASSWORD"] });
  return Type.Union([secret, sealed({ name: secret, as: Type.Enum(["env", "file", "build"]) }, ["name"])]);
}

function volumeUse(): TSchema {
  const path = Type.String({ pattern: "^/[^\\s:]+$", title: "an absolute path", examples: ["/data"], maxLength: 255 });
  return Type.Union([path, sealed({ path, writers: Type.Enum(["single", "many"]) }, ["path"])]);
}

function duration(description: string): TSchema {
  return Type.String({ pattern: DURATION_PATTERN, title: "a duration", examples: ["60s", "10m", "500ms"], description });
}

function command(description: string): TSchema {
  return Type.String({ pattern: "\\S", title: "a command", examples: ["node server.js"], description });
}

function plugin(description: string): TSchema {
  return Type.String({ minLength: 1, title: "a plugin name", description });
}

function name(title: string): TSchema {
  return Type.String({ pattern: NAME_PATTERN, title, examples: ["web", "my-app"] });
}

/** A map from names of one kind to values. */
function named(kind: "service" | "volume" | "task" | "variable", value: TSchema, options: object = {}): TSchema {
  const pattern = kind === "variable" ? VARIABLE_PATTERN : NAME_PATTERN;
  const examples = kind === "variable" ? ["GREETING"] : ["web", "my-data"];
  return Type.Record(Type.String(), value, {
    ...closed(pattern, { title: `a ${kind} name${kind === "variable" ? "" : NAME_WORDS}`, examples }),
    ...options,
  });
}

const NAME_WORDS = " (lower-case letters, digits and dashes, at most 40)";

/** Names that do not fit are refused by `propertyNames`, whose message says what a name is. */
function closed(pattern: string, words: { title: string; examples: string[] }): object {
  return { propertyNames: { type: "string", pattern, ...words } };
}

/** An object that refuses keys it does not know. Everything in it is optional but what `required` names. */
function sealed(properties: Record<string, TSchema>, required: readonly string[] = []): TSchema {
  const shaped = Object.entries(properties).map(([key, schema]) => [key, required.includes(key) ? schema : optional(schema)]);
  return Type.Object(Object.fromEntries(shaped) as Record<string, TSchema>, {
    additionalProperties: false,
    patternProperties: { "^x-": {} },
  });
}

function optional(schema: TSchema): TSchema {
  return Type.Optional(schema);
}
