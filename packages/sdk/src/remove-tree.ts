import { execFile } from "node:child_process";
import { constants } from "node:fs";
import { lstat, open, rm } from "node:fs/promises";
import { promisify } from "node:util";
import { engineUser } from "./os-user.ts";

const run = promisify(execFile);
const RETRIES = 3;
const SYSTEM_PATH = "/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * Removes a folder with all that is in it. One that is not there is no failure; of a link, only the link goes. Other users may be writing in it meanwhile: root takes
 * the folder back first, and whoever still is inside cannot lead it out by a link put where a folder was, since `rm` goes from folder to folder by handles.
 */
export async function removeTree(folder: string): Promise<void> {
  const found = await lstat(folder).catch(() => null);
  if (engineUser().uid !== 0 || !found?.isDirectory()) return rm(folder, { recursive: true, force: true, maxRetries: RETRIES });
  await takeBack(folder);
  for (let tries = 0; ; tries++) {
    try {
      await run("rm", ["-rf", "--", folder], { env: { PATH: SYSTEM_PATH } });
      return;
    } catch (error) {
      // A file that was made meanwhile.
      if (tries === RETRIES) throw error;
    }
  }
}

async function takeBack(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW).catch(() => null);
  if (handle === null) return;
  try {
    await handle.chown(0, 0);
    await handle.chmod(0o700);
  } finally {
    await handle.close();
  }
}
