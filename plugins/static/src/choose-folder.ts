import { stat } from "node:fs/promises";
import { join } from "node:path";
import { PluginError } from "@helixstack/sdk";
import { PLAIN_FOLDERS } from "./detect.ts";
import { hasIndex, realFolder } from "./folders.ts";

/** Where build tools put a site, the usual ones first. */
const BUILT_FOLDERS = ["dist", "build", "out", "public"] as const;

/** When each `index.html` of the usual folders was written, to tell what a build made from what was there. */
export type IndexTimes = Readonly<Record<string, number>>;

export async function indexTimes(source: string): Promise<IndexTimes> {
  const times: Record<string, number> = {};
  for (const folder of BUILT_FOLDERS) {
    const found = await stat(join(source, folder, "index.html")).catch(() => null);
    if (found !== null) times[folder] = found.mtimeMs;
  }
  return times;
}

export interface Choice {
  /** What the manifest names. */
  readonly dir: string | null;
  /** The build script that ran, or null. */
  readonly script: string | null;
  readonly before: IndexTimes;
}

/** The folder that holds the site, relative to the source. Rejects with `BUILD_FAILED` or `SOURCE_UNFIT`, saying where it looked. */
export async function chooseFolder(source: string, { dir, script, before }: Choice): Promise<string> {
  const candidates = dir !== null ? [dir] : script !== null ? await newestFirst(source, before) : PLAIN_FOLDERS;
  for (const folder of candidates) {
    if ((await realFolder(source, folder)) !== null && (await hasIndex(source, folder))) return folder;
  }
  throw await notFound(source, { dir, script });
}

/** Folders that the build wrote before those that it left as they were. */
async function newestFirst(source: string, before: IndexTimes): Promise<readonly string[]> {
  const after = await indexTimes(source);
  const isNew = (folder: string): boolean => after[folder] !== undefined && after[folder] !== before[folder];
  return [...BUILT_FOLDERS.filter(isNew), ...BUILT_FOLDERS.filter((folder) => !isNew(folder))];
}

async function notFound(source: string, { dir, script }: { dir: string | null; script: string | null }): Promise<PluginError> {
  const code = script === null ? "SOURCE_UNFIT" : "BUILD_FAILED";
  const ran = script === null ? "" : ` after the script ${script}`;
  if (dir === null) {
    const looked = script === null ? PLAIN_FOLDERS : BUILT_FOLDERS;
    return new PluginError(code, `there is no index.html${ran}; looked in ${looked.join(", ")}`, {
      hint: "Set `static.dir` to the folder that holds the site.",
    });
  }
  const what = (await realFolder(source, dir)) === null ? `there is no folder ${dir}` : `the folder ${dir} has no index.html`;
  return new PluginError(code, `${what}${ran}; \`static.dir\` names it`, {
    hint: script === null ? "Correct `static.dir`, which is relative to `source`." : "See in the log where the build writes its result.",
  });
}
