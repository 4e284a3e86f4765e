import { readFile } from "node:fs/promises";
import { isAbsolute, join, posix } from "node:path";
import { PluginError } from "@helixstack/sdk";

/** A Dockerfile of the source. */
export interface Dockerfile {
  /** Relative to the source. */
  readonly path: string;
  /** The images that its stages begin with, as it names them. */
  readonly base: readonly string[];
}

/** Finds the Dockerfile. Rejects with `INVALID_SPEC` for a path that leads out of the source, `SOURCE_UNFIT` when it is not there. */
export async function readDockerfile(source: string, named: string): Promise<Dockerfile> {
  const path = posix.normalize(named);
  if (isAbsolute(path) || path.split("/").includes("..")) {
    throw new PluginError("INVALID_SPEC", `\`dockerfile.path: ${named}\` is not a path below the service's source`, {
      hint: "Write it relative to `source`, without `..`.",
    });
  }
  const text = await readFile(join(source, path), "utf8").catch((error: NodeJS.ErrnoException) => {
    throw new PluginError("SOURCE_UNFIT", `the Dockerfile ${path} cannot be read: ${error.code}`, {
      hint: "Add it to the service's `source`, or name another with `dockerfile.path`.",
      cause: error,
    });
  });
  return { path, base: baseImages(text) };
}

/** The images of all `FROM` lines, each once, without earlier stages and `scratch`. */
export function baseImages(text: string): string[] {
  const stages = new Set(["scratch"]);
  const images = new Set<string>();
  for (const line of text.replace(/\\[ \t]*\r?\n/g, " ").split(/\r?\n/)) {
    const [, image, stage] = /^\s*FROM\s+(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?/i.exec(line) ?? [];
    if (image === undefined) continue;
    if (!stages.has(image.toLowerCase())) images.add(image);
    if (stage !== undefined) stages.add(stage.toLowerCase());
  }
  return [...images];
}
