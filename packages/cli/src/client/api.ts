import type {
  DeploymentDetail,
  DeploymentItem,
  DeploymentResult,
  Finding,
  PageOf,
  ServiceChange,
  SnapshotEntry,
} from "@helixstack/core/client";
import type { Http } from "./http.ts";

/** What is asked for, as the API takes it. */
export interface ManifestInput {
  readonly environment: string;
  readonly manifest: { readonly text: string; readonly file: string };
  readonly detected: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly runtime?: string;
}

/** What a deploy would change, and what the policies say of it. */
export interface PlanResult {
  readonly changes: readonly ServiceChange[];
  readonly findings: readonly Finding[];
  /** Whether a deploy would be let through. */
  readonly allow: boolean;
}

export type DeploymentInput = { readonly message?: string; readonly timeoutMs?: number } & (
  | ({ readonly kind: "deploy"; readonly snapshot: string } & ManifestInput)
  | { readonly kind: "rollback"; readonly project: string; readonly environment: string; readonly release: string }
  | { readonly kind: "destroy"; readonly project: string; readonly environment: string; readonly withData: boolean }
);

/** The calls of the API that commands share. */
export function createApi(http: Http) {
  return {
    putSnapshot: (entries: readonly SnapshotEntry[]) =>
      http.request<{ digest: string }>("POST", "/v1/snapshots", { body: { entries }, repeatable: true }),
    plan: (input: ManifestInput & { readonly entries: readonly SnapshotEntry[] }) =>
      http.request<PlanResult>("POST", "/v1/plan", { body: input, repeatable: true }),
    createDeployment: (input: DeploymentInput, key: string) =>
      http.request<DeploymentItem>("POST", "/v1/deployments", { body: input, headers: { "idempotency-key": key }, repeatable: true }),
    deployment: (id: string) => http.request<DeploymentDetail>("GET", `/v1/deployments/${encodeURIComponent(id)}`),
    result: (id: string) => http.request<DeploymentResult>("GET", `/v1/deployments/${encodeURIComponent(id)}/result`),
    cancel: (id: string) => http.request<DeploymentItem>("POST", `/v1/deployments/${encodeURIComponent(id)}/cancel`, { repeatable: true }),
    deployments: (query: Readonly<Record<string, string | number | undefined>>) =>
      http.request<PageOf<DeploymentItem>>("GET", "/v1/deployments", { query }),
    environment: <T>(project: string, environment: string, what: string) =>
      http.request<T>("GET", environmentPath(project, environment, what)),
  };
}

export type Api = ReturnType<typeof createApi>;

/** Names may hold a slash (`preview/my-branch`). */
export function environmentPath(project: string, environment: string, what: string): string {
  return `/v1/projects/${encodeURIComponent(project)}/environments/${encodeURIComponent(environment)}/${what}`;
}
