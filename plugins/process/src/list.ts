import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { type Identity, type ListInput, type Owned, type PluginContext, ownerOf } from "@helixstack/sdk";
import { findUnits, type UnitStatus } from "./client.ts";
import type { Config } from "./config.ts";
import { listVolumes } from "./volumes.ts";
import { ownerFile } from "./work-folder.ts";

/** Processes, folders that no process belongs to, and volumes. */
export async function listOwned(ctx: PluginContext<Config>, { installation }: ListInput): Promise<readonly Owned[]> {
  const units = await findUnits(ctx, { "helix.installation": installation });
  const running = new Set(units.map(({ labels }) => labels["helix.revision"]));
  const folders = await revisionFolders(ctx, installation);
  return [
    ...units.map(ofUnit),
    ...folders.filter(({ identity }) => !running.has(identity.revision)),
    ...(await listVolumes(ctx, installation)),
  ];
}

function ofUnit(unit: UnitStatus): Owned {
  const process = unit.pid === null ? unit.phase : `${unit.phase}, process ${unit.pid}`;
  return {
    identity: ownerOf(unit.labels),
    kind: unit.labels["helix.kind"] ?? "revision",
    id: unit.name,
    description: `${unit.name}, ${process}, since ${unit.createdAt}`,
  };
}

async function revisionFolders(ctx: PluginContext<Config>, installation: string): Promise<Owned[]> {
  const root = join(ctx.home, "revisions");
  const names = await readdir(root).catch(() => []);
  const all = await Promise.all(names.map((revision) => ofFolder(join(root, revision), revision)));
  return all.filter(({ identity }) => identity.installation === "" || identity.installation === installation);
}

async function ofFolder(folder: string, revision: string): Promise<Owned> {
  const owner = await readFile(ownerFile(folder), "utf8").then(
    (text) => JSON.parse(text) as Partial<Identity>,
    () => ({}) as Partial<Identity>,
  );
  const { installation = "", organization = "", project = "", environment = "", unit = "" } = owner;
  return {
    identity: { installation, organization, project, environment, unit, revision },
    kind: "work-folder",
    id: folder,
    description: `folder ${folder} without a process`,
  };
}
