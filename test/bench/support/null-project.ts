import type { BenchPlane } from "./plane.ts";

/** Deploys of services of the `memory` plugin, which makes nothing real: what is left is the engine. */
export async function nullProject(plane: BenchPlane) {
  const snapshot = await plane.snapshot({ "index.js": "1" });
  const web = { source: ".", build: "memory", runtime: "memory", delivery: "memory", start: "run" };
  const wish = (project: string, round: string) => {
    const manifest = { project, services: { web: { ...web, env: { ROUND: round } } }, rollback: { keep: 1, for: "10m" } };
    return { file: "helix.yaml", text: JSON.stringify(manifest) };
  };
  return {
    snapshot,
    manifest: wish,
    /** Asks for one; answers with its id. */
    ask: (project: string, round: string) => plane.create({ kind: "deploy", snapshot, manifest: wish(project, round) }),
  };
}
