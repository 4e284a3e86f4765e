import { type TSchema, Type } from "typebox";

/** A closed object, as all shapes of the contract are. */
function shape<T extends Record<string, TSchema>>(properties: T) {
  return Type.Object(properties, { additionalProperties: false });
}

function nullable<T extends TSchema>(schema: T) {
  return Type.Union([schema, Type.Null()]);
}

const Text = Type.String();
const Name = Type.String({ minLength: 1 });
const Count = Type.Integer({ minimum: 0 });
const Port = Type.Integer({ minimum: 1, maximum: 65_535 });

const Endpoint = Type.Union([
  shape({ kind: Type.Enum(["http", "tcp"]), host: Name, port: Port }),
  shape({ kind: Type.Literal("provider-url"), url: Name }),
  shape({ kind: Type.Literal("none") }),
]);

export const Change = shape({
  action: Type.Enum(["create", "update", "replace", "delete"]),
  path: Text,
  // A value that is `undefined` does not come over the pipe: "it was not there" and "it was null" read the same.
  from: Type.Optional(Type.Unknown()),
  to: Type.Optional(Type.Unknown()),
});

// As much as the tags say: a volume's folder tells its own id and nothing else.
const ids = { installation: Text, organization: Text, project: Text, environment: Text, unit: Text, revision: Text };

export const Owned = shape({ identity: Type.Object(ids), kind: Name, id: Name, description: Text });

export const VolumeHandle = shape({ kind: Name, id: Name });

const Instance = shape({
  phase: Type.Enum(["running", "frozen", "stopped", "exited", "backing-off"]),
  restarts: Count,
  lastExit: nullable(shape({ code: nullable(Type.Integer()), at: Name })),
  memoryBytes: nullable(Type.Number({ minimum: 0 })),
  cpuSeconds: nullable(Type.Number({ minimum: 0 })),
});

export function observedRevision(state: TSchema): TSchema {
  return shape({
    state,
    phase: Type.Enum(["running", "degraded", "frozen", "stopped", "exited"]),
    endpoints: Type.Array(Endpoint),
    instances: Type.Array(Instance),
    specDigest: nullable(Name),
  });
}

const Target = shape({ revision: Name, release: nullable(Name), endpoint: Endpoint, weight: Type.Number({ minimum: 0 }) });

const Route = shape({
  service: Name,
  hosts: Type.Array(Name),
  port: nullable(Port),
  bind: Type.Array(Name),
  targets: Type.Array(Target),
  holdMs: nullable(Type.Number({ minimum: 0 })),
});

export function observedTable(state: TSchema): TSchema {
  return shape({
    state,
    generation: Type.Integer(),
    table: shape({ generation: Type.Integer(), routes: Type.Array(Route) }),
    addresses: Type.Array(shape({ service: Name, url: Name, address: shape({ host: Name, port: Port }) })),
  });
}

export const DrainResult = shape({ closed: Count, waitedMs: Type.Number({ minimum: 0 }) });

export const RevisionStats = shape({ revision: Name, release: nullable(Name), requests: Count, failures: Count, inFlight: Count });

export const LogLine = shape({ cursor: Name, at: Name, stream: Type.Enum(["stdout", "stderr"]), instance: Count, text: Text });

export const RunResult = shape({ exitCode: Type.Integer(), logs: Type.Array(Text, { maxItems: 100 }) });

export const Detection = shape({
  fits: Type.Boolean(),
  why: Text,
  confidence: Type.Number({ minimum: 0, maximum: 100 }),
  service: Type.Optional(Type.Record(Text, Type.Unknown())),
});

const image = nullable(shape({ uri: Name, digest: Name }));
const strings = Type.Array(Text);

export const BuildResult = Type.Union([
  shape({
    kind: Type.Literal("node-bundle"),
    metadata: shape({ start: Type.Array(Text, { minItems: 1 }), env: Type.Record(Text, Text), node: nullable(Text) }),
    image,
  }),
  shape({ kind: Type.Literal("static-site"), metadata: shape({ fallback: nullable(Name) }), image }),
  shape({ kind: Type.Literal("oci-image"), metadata: shape({ user: Text, sizeBytes: Count, base: strings }), image }),
  shape({ kind: Type.Literal("worker-bundle"), metadata: shape({ main: Name, compatibilityDate: Name }), image }),
]);
