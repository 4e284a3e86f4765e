import { Type } from "typebox";
import { answers, emptyAnswer } from "../schemas/answers.ts";
import { EnvironmentPath, closed, listOf, nullable, ref } from "../schemas/common.ts";

const tags = ["secrets"];
const Name = Type.String({ maxLength: 400 });
/** Checked by the store, whose refusals never show it. */
const Value = Type.String({ maxLength: 100_000 });
const Values = Type.Record(Type.String({ maxLength: 400 }), Value, { maxProperties: 500 });
const Put = closed({
  value: Value,
  expect: Type.Optional(
    nullable(Type.String({ maxLength: 20, description: "The version that must be current; null: there must be none." })),
  ),
});
const PluginPath = closed({ plugin: Name });

export const SECRET_SCHEMAS = {
  list: {
    operationId: "listSecrets",
    summary: "Names and versions of an environment's secrets; never their values",
    tags,
    params: EnvironmentPath,
    response: answers(200, listOf("Secret")),
  },
  put: {
    operationId: "setSecret",
    summary: "Makes a new version of a secret",
    tags,
    params: closed({ ...EnvironmentPath.properties, name: Name }),
    body: Put,
    response: answers(200, ref("Secret")),
  },
  remove: {
    operationId: "removeSecret",
    summary: "Destroys a secret with all its versions",
    tags,
    params: closed({ ...EnvironmentPath.properties, name: Name }),
    response: emptyAnswer(204, "It is gone."),
  },
  import: {
    operationId: "importSecrets",
    summary: "Sets what differs, or says what would be set",
    tags,
    params: EnvironmentPath,
    body: closed({ values: Values, dryRun: Type.Optional(Type.Boolean({ default: false })) }),
    response: answers(200, listOf("SecretChange")),
  },
  pull: {
    operationId: "pullSecrets",
    summary: "The values of an environment's secrets; each use is an event",
    tags,
    params: EnvironmentPath,
    body: closed({ names: Type.Optional(Type.Array(Name, { maxItems: 500 })) }),
    response: answers(200, closed({ values: Type.Record(Type.String(), Type.String()) })),
  },
  events: {
    operationId: "listSecretEvents",
    summary: "Who set, removed and pulled which names, oldest first",
    tags,
    params: EnvironmentPath,
    querystring: closed({ after: Type.Optional(Type.Integer({ minimum: 0, default: 0 })) }),
    response: answers(200, listOf("SecretEvent")),
  },
  listPlugin: {
    operationId: "listPluginSecrets",
    summary: "Names and versions of a plugin's credentials",
    tags,
    params: PluginPath,
    response: answers(200, listOf("Secret")),
  },
  putPlugin: {
    operationId: "setPluginSecret",
    summary: "Makes a new version of a plugin's credential",
    tags,
    params: closed({ plugin: Name, name: Name }),
    body: Put,
    response: answers(200, ref("Secret")),
  },
  removePlugin: {
    operationId: "removePluginSecret",
    summary: "Destroys a plugin's credential",
    tags,
    params: closed({ plugin: Name, name: Name }),
    response: emptyAnswer(204, "It is gone."),
  },
  store: {
    operationId: "getSecretStore",
    summary: "Which store is used, and whether it answers",
    tags,
    response: answers(200, closed({ kind: Type.Enum(["local", "vault"]), ok: Type.Boolean(), error: nullable(ref("Error")) })),
  },
  rotateKey: {
    operationId: "rotateSecretKey",
    summary: "Seals everything in the local store with a new key",
    tags,
    response: answers(200, closed({ resealed: Type.Integer() })),
  },
} as const;
