/** What the command line needs to start, look at and stop a local plane. Loaded only then: it brings the server's modules along. */
export { type BackupInfo, type BackupOptions, backupPlane, restorePlane } from "./main/backup.ts";
export { type PlaneProcess, type StartOptions, planeStatus, startLocalPlane, stopLocalPlane } from "./main/local-plane.ts";
