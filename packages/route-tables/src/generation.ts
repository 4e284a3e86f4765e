import { type RouteTable, specDigest } from "@helixstack/sdk";

/** Why a table may not follow the one that is served: its generation would go back, or says something else than it did. Null when it may. */
export function generationProblem(table: RouteTable, served: RouteTable | undefined): string | null {
  if (served === undefined || table.generation > served.generation) return null;
  if (table.generation === served.generation && specDigest(table) === specDigest(served)) return null;
  return `generation ${table.generation} is not above generation ${served.generation}, which is served`;
}
