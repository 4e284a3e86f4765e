import { type Static, Type } from "typebox";
import { answers, streamAnswers } from "../schemas/answers.ts";
import { DigestText, EnvironmentName, Id, IdPath, PageQuery, ProjectName, closed, line, pageOf, ref } from "../schemas/common.ts";
import { Entries } from "../snapshots/schema.ts";

export const DEFAULT_ENVIRONMENT = "production";
const environment = Type.Optional(Type.String({ ...EnvironmentName, default: DEFAULT_ENVIRONMENT }));
const message = Type.Optional(Type.String({ maxLength: 2000, description: "A note for the record." }));
const timeoutMs = Type.Optional(
  Type.Integer({ minimum: 1000, maximum: 86_400_000, description: "Deadline from now, milliseconds. Default: 30 minutes." }),
);
const manifest = closed({
  text: Type.String({ maxLength: 1 << 20, description: "The text of helix.yaml." }),
  file: Type.String({ minLength: 1, maxLength: 1000, description: "How messages name the file." }),
});
const detected = Type.Optional(
  Type.Record(Type.String(), Type.Record(Type.String(), Type.Unknown()), {
    description: "What was detected of services that name no build, in the manifest's own form.",
  }),
);
const runtime = Type.Optional(Type.String({ maxLength: 100, description: "Another runtime for this deployment." }));
const wish = { environment, manifest, detected, runtime };

export const PlanBody = closed({ ...wish, entries: Entries });

const BODIES = [
  closed({ kind: Type.Literal("deploy"), project: Type.Optional(ProjectName), ...wish, snapshot: DigestText, message, timeoutMs }),
  closed({ kind: Type.Literal("rollback"), project: ProjectName, environment, release: Id, message, timeoutMs }),
  closed({ kind: Type.Literal("destroy"), project: ProjectName, environment, withData: Type.Optional(Type.Boolean()), message, timeoutMs }),
] as const;

/** What a deployment may be asked for. */
export type DeploymentBody = Static<(typeof BODIES)[number]>;

/** `kind` decides which of the bodies is meant, so that a mistake is told of that one alone. */
const DeploymentBody = Type.Unsafe<DeploymentBody>({
  type: "object",
  required: ["kind"],
  discriminator: { propertyName: "kind" },
  oneOf: BODIES,
});

const IdempotencyHeader = Type.Object({
  "idempotency-key": Type.Optional(
    Type.String({ minLength: 1, maxLength: 200, description: "The same key and body answer with the deployment that was made before." }),
  ),
});

const ListQuery = closed({
  ...PageQuery,
  project: Type.Optional(line(140)),
  environment: Type.Optional(EnvironmentName),
});

const follow = Type.Optional(Type.Boolean({ default: false, description: "Go on after the deployment's end, with what is cleaned up." }));
const EventsQuery = closed({ follow });
const LogsQuery = closed({
  follow: Type.Optional(Type.Boolean({ default: false, description: "Stay until the deployment ends." })),
  tail: Type.Optional(Type.Integer({ minimum: 0, maximum: 100_000, description: "Begin with so many of the last lines." })),
});

const tags = ["deployments"];
const params = IdPath;

/** What the routes take and answer. */
export const DEPLOYMENT_SCHEMAS = {
  plan: {
    operationId: "plan",
    summary: "What a deploy would change; writes nothing",
    tags,
    body: PlanBody,
    response: answers(200, ref("Plan")),
  },
  create: {
    operationId: "createDeployment",
    summary: "Asks for a deploy, a rollback or a removal",
    tags,
    headers: IdempotencyHeader,
    body: DeploymentBody,
    response: answers(202, ref("Deployment"), "It is recorded; a worker takes it up."),
  },
  cancel: {
    operationId: "cancelDeployment",
    summary: "Stops a deployment and undoes it",
    tags,
    params,
    response: answers(202, ref("Deployment")),
  },
  list: {
    operationId: "listDeployments",
    summary: "Deployments, newest first",
    tags,
    querystring: ListQuery,
    response: answers(200, pageOf("Deployment")),
  },
  get: {
    operationId: "getDeployment",
    summary: "A deployment with its steps and decisions",
    tags,
    params,
    response: answers(200, ref("DeploymentDetail")),
  },
  result: { operationId: "getResult", summary: "What a deployment came to", tags, params, response: answers(200, ref("DeploymentResult")) },
  events: {
    operationId: "watchDeployment",
    summary: "The deployment's events, and then as they come; resumes with Last-Event-ID",
    tags,
    params,
    querystring: EventsQuery,
    response: streamAnswers("Events; the stream ends after the verdict, which carries the result."),
  },
  logs: {
    operationId: "readDeploymentLog",
    summary: "The deployment's log; resumes with Last-Event-ID",
    tags,
    params,
    querystring: LogsQuery,
    response: streamAnswers("Lines."),
  },
} as const;
