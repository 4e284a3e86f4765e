import { Type } from "typebox";
import { answers } from "../schemas/answers.ts";
import { EnvironmentPath, PageQuery, closed, listOf, pageOf, ref } from "../schemas/common.ts";

const tags = ["environments"];
const params = EnvironmentPath;

/** What the routes take and answer. */
export const ENVIRONMENT_SCHEMAS = {
  list: {
    operationId: "listEnvironments",
    summary: "All environments, by project and name",
    tags,
    response: answers(200, listOf("Environment")),
  },
  status: {
    operationId: "getStatus",
    summary: "What is live, and how it is",
    tags,
    params,
    response: answers(200, ref("EnvironmentStatus")),
  },
  releases: {
    operationId: "listReleases",
    summary: "Releases, newest first",
    tags,
    params,
    querystring: closed(PageQuery),
    response: answers(200, pageOf("Release")),
  },
  candidates: {
    operationId: "listCandidates",
    summary: "Releases that a rollback can go to",
    tags,
    params,
    response: answers(200, closed({ candidates: Type.Array(ref("Candidate")) })),
  },
  stats: {
    operationId: "getStats",
    summary: "What the data plane counted, by revision",
    tags,
    params,
    response: answers(200, listOf("Stats")),
  },
} as const;
