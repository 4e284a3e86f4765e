import type { Static } from "typebox";
import type { Manifest } from "../../domain/manifest.ts";
import type { Origin } from "../../domain/origin.ts";
import type { SnapshotEntry } from "../../ports/index.ts";
import type { ApiDeps } from "../deps.ts";
import { DEFAULT_ENVIRONMENT, type PlanBody } from "./schema.ts";

/** What a deploy or a plan asks for, as the API takes it. */
type Wish = Omit<Static<typeof PlanBody>, "entries">;

/** The manifest of a request, resolved for its environment, and where its keys stand. */
export function readWish(
  { readManifest }: Pick<ApiDeps, "readManifest">,
  { manifest: { text, file }, environment = DEFAULT_ENVIRONMENT, detected, runtime }: Wish,
  entries: readonly SnapshotEntry[],
): { readonly environment: string; readonly manifest: Manifest; readonly origin: Origin } {
  const read = readManifest({
    text,
    file,
    environment,
    entries,
    ...(detected && { defaults: detected }),
    ...(runtime !== undefined && { overrides: { runtime } }),
  });
  return { environment, ...read };
}
