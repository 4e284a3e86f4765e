import type { Cli } from "../cli.ts";
import type { ManifestInput } from "../client/api.ts";
import { bytes } from "../output/time.ts";
import { helixHome } from "../plane/home.ts";
import type { Session } from "../plane/session.ts";
import { checkSiblings } from "../project/check-siblings.ts";
import { detectServices } from "../project/detect.ts";
import { type ManifestFile, readManifestFile } from "../project/manifest-file.ts";
import type { DigestCache } from "../source/digest.ts";
import { projectSnapshot } from "../source/project-source.ts";
import { type LocalSnapshot, whileItHolds } from "../source/snapshot.ts";
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

/** The source and the wish, looked at here before anything is started or sent. */
export interface LocalWish {
  readonly manifest: ManifestFile;
  readonly input: ManifestInput;
  readonly snapshot: LocalSnapshot;
}

/** Services without a `build` are looked at here, where their files are. */
export async function lookAt(
  cli: Cli,
  manifest: ManifestFile,
  options: SourceOptions & { readonly cache?: DigestCache },
): Promise<LocalWish> {
  const { environment, runtime, cache } = options;
  checkSiblings(manifest);
  const [snapshot, detected] = await Promise.all([projectSnapshot(manifest, cache), detectServices(manifest, helixHome(cli.env))]);
  const input = {
    environment,
    manifest: { text: manifest.text, file: manifest.shown },
    detected,
    ...(runtime !== undefined && { runtime }),
  };
  return { manifest, input, snapshot };
}

export interface SendOptions {
  readonly session: Session;
  readonly say: (note: string) => void;
  readonly cache?: DigestCache;
}

/** Sends what the control plane does not have; looks again at a source that has changed meanwhile. Resolves to the snapshot's digest. */
export async function sendSource({ manifest, snapshot }: LocalWish, { session, say, cache }: SendOptions): Promise<string> {
  let looked: LocalSnapshot | null = snapshot;
  return whileItHolds(async () => {
    const current = looked ?? (await projectSnapshot(manifest, cache));
    looked = null;
    const size = `${current.entries.length} entries, ${bytes(current.sizeBytes)}`;
    let shown = -1;
    return uploadSnapshot(current, {
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
