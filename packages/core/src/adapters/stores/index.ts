export { openFileLogStore, type LogStoreOptions } from "./file-log-store.ts";
export { openFolderArtifactStore, type ArtifactStoreOptions } from "./folder-artifact-store.ts";
export { openFolderSourceStore, type SourceStoreOptions } from "./folder-source-store.ts";
