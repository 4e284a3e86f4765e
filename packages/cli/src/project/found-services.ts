import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { type DetectedBuild, detectFolder } from "./detect.ts";
import { nameFromFolder } from "./name-from-folder.ts";

/** A service that a folder seems to hold. */
export interface FoundService {
  readonly name: string;
  /** Relative to the manifest. */
  readonly source: string;
  readonly build: DetectedBuild;
}

const SIGNS = ["package.json", "index.html", "Dockerfile"];
const SKIPPED = new Set(["node_modules", "dist", "build", "public", "test", "tests", "docs"]);

/** The folder itself as one service, or, where no builder knows it, those of its folders that one knows. */
export async function findServices(folder: string, home: string): Promise<readonly FoundService[]> {
  const [own] = await detectFolder({ folder, home });
  if (own) return [{ name: "web", source: ".", build: own }];
  const found: FoundService[] = [];
  for (const name of candidateFolders(folder)) {
    const [build] = await detectFolder({ folder: join(folder, name), home });
    if (build) found.push({ name: nameFromFolder(name), source: `./${name}`, build });
  }
  return found;
}

function candidateFolders(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith(".") && !SKIPPED.has(entry.name))
    .map(({ name }) => name)
    .filter((name) => SIGNS.some((sign) => statSync(join(folder, name, sign), { throwIfNoEntry: false })?.isFile()))
    .toSorted();
}
