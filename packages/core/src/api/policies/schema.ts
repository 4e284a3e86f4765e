import { Type } from "typebox";
import { MATURITIES } from "../../domain/manifest.ts";
import { answers } from "../schemas/answers.ts";
import { DigestText, EnvironmentName, IdPath, ProjectName, Time, closed, nullable, ref } from "../schemas/common.ts";
import { FINDING } from "../schemas/documents.ts";

const tags = ["policies"];
const Text = Type.String();
const Line = Type.String({ minLength: 1, maxLength: 500 });
const DAY_MS = 86_400_000;
/** A waiver that lasts is a rule that nobody keeps. */
export const LONGEST_WAIVER_MS = 30 * DAY_MS;

const pack = closed({
  name: Text,
  version: Text,
  serial: Type.Integer(),
  kind: Type.Enum(["helix", "conftest"]),
  digest: Text,
  signedBy: Text,
  expiresAt: nullable(Time),
  maturity: nullable(Type.Enum([...MATURITIES], { description: "The maturity that it decides for; null: for each." })),
  rules: Type.Array(closed({ rule: Text, title: Text, points: Type.Array(Text), level: Text })),
});
const problem = closed({
  file: Text,
  error: ref("Error"),
  isKept: Type.Boolean({ description: "Whether the last good edition decides in its place." }),
});
const waiver = closed({
  id: Text,
  project: Text,
  environment: nullable(Text),
  rule: Text,
  path: nullable(Text),
  reason: Text,
  principal: closed({ id: Text, name: Text }),
  createdAt: Time,
  expiresAt: Time,
});
const explained = closed({
  ...FINDING,
  pack: Type.Optional(Type.String({ description: "`name@version`." })),
  needed: Type.Optional(Text),
  found: Type.Optional(Text),
  waiver: Type.Optional(closed({ id: Text, by: Text, reason: Text, expiresAt: Time })),
});
const decision = closed({
  id: Text,
  point: Type.Enum(["plan", "artifact", "release"]),
  at: Time,
  allow: Type.Boolean(),
  bundle: Text,
  inputDigest: DigestText,
  findings: Type.Array(explained),
  error: nullable(ref("Error")),
  input: Type.Unknown({ description: "The whole input, masked; null unless asked for." }),
});
const tried = closed({
  deployment: Text,
  project: Text,
  environment: Text,
  at: Time,
  before: Type.Enum(["allowed", "refused"]),
  after: Type.Enum(["allowed", "refused", "undecided"]),
  findings: Type.Array(ref("Finding")),
  error: nullable(ref("Error")),
});

/** What the routes take and answer. */
export const POLICY_SCHEMAS = {
  list: {
    operationId: "listPolicies",
    summary: "The packs in force, and the bundles that are not",
    tags,
    response: answers(200, closed({ packs: Type.Array(pack), problems: Type.Array(problem) })),
  },
  waivers: {
    operationId: "listWaivers",
    summary: "Waivers that are not over",
    tags,
    querystring: closed({ project: Type.Optional(ProjectName), environment: Type.Optional(EnvironmentName) }),
    response: answers(200, closed({ items: Type.Array(waiver) })),
  },
  waive: {
    operationId: "createWaiver",
    summary: "Lets deployments of others go on in spite of a soft-mandatory rule, for a while",
    tags,
    body: closed({
      project: ProjectName,
      environment: Type.Optional(Type.String({ ...EnvironmentName, description: "Default: every environment." })),
      rule: Line,
      path: Type.Optional(Type.String({ ...Line, description: "Only for this path and what is below it." })),
      reason: Type.String({ minLength: 1, maxLength: 2000 }),
      forMs: Type.Integer({ minimum: 1000, maximum: LONGEST_WAIVER_MS, description: "How long, milliseconds; 30 days at most." }),
    }),
    response: answers(201, waiver),
  },
  decisions: {
    operationId: "listDecisions",
    summary: "What was decided of a deployment, with all that was said",
    tags,
    params: IdPath,
    querystring: closed({ input: Type.Optional(Type.Boolean({ default: false, description: "With the whole inputs." })) }),
    response: answers(200, closed({ items: Type.Array(decision) })),
  },
  backtest: {
    operationId: "backtest",
    summary: "Asks a new pack about decisions of the past; changes nothing",
    tags,
    body: closed({
      bundle: Type.String({
        maxLength: 16 * 2 ** 20,
        description: "The bundle as `opa build -t wasm` makes it, in base64. It needs no signature.",
      }),
      project: Type.Optional(ProjectName),
      last: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: 200, description: "How many deployments." })),
    }),
    response: answers(200, closed({ pack: Text, items: Type.Array(tried) })),
  },
} as const;
