import type { Cli } from "../cli.ts";
import type { ManifestInput } from "../client/api.ts";
import { bytes } from "../output/time.ts";
import { helixHome } from "../plane/home.ts";
import type { Session } from "../plane/session.ts";
import { detectServices } from "../project/detect.ts";
import { type ManifestFile, readManifestFile } from "../project/manifest-file.ts";
import type { DigestCache } from "../source/digest.ts";
import { projectSnapshot } from "../source/project-source.ts";
import { whileItHolds } from "../source/snapshot.ts";
import { uploadSnapshot } from "../source/upload.ts";

export interface SourceOptions {
  readonly environment: string;
  readonly file?: string | undefined;
  readonly runtime?: string | undefined;
}

/** The manifest that was asked for, read before anything is started. */
export function manifestOf(cli: Cli, { environment, file }: SourceOptions): ManifestFile {
  return readManifestFile({ cwd: cli.cwd, file, environment });
}

/** What the API needs to know of the manifest. Services without a `build` are looked at here, where their files are. */
export async function manifestInput(cli: Cli, manifest: ManifestFile, { environment, runtime }: SourceOptions): Promise<ManifestInput> {
  const detected = await detectServices(manifest, helixHome(cli.env));
  return { environment, manifest: { text: manifest.text, file: manifest.shown }, detected, ...(runtime !== undefined && { runtime }) };
}

/** Takes the source and sends what the control plane does not have. Resolves to the snapshot's digest. */
export async function sendSource(
  manifest: ManifestFile,
  { session, say, cache }: { session: Session; say: (note: string) => void; cache?: DigestCache },
): Promise<string> {
  return whileItHolds(async () => {
    const snapshot = await projectSnapshot(manifest, cache);
    const size = `${snapshot.entries.length} entries, ${bytes(snapshot.sizeBytes)}`;
    say(size);
    let shown = -1;
    return uploadSnapshot(snapshot, {
      ...session,
      onProgress: (sent, total) => {
        const tenth = Math.floor((sent / Math.max(1, total)) * 10);
        if (tenth === shown) return;
        shown = tenth;
        say(`${size}, sent ${bytes(sent)} of ${bytes(total)}`);
      },
    });
  });
}
