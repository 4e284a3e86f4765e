import { chmod, mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { isAlive, processIdentity } from "@helixstack/supervisor";

const NAME = /^(\d+)-(\d+)$/;

/** Builds run as users of their own, who pass through to their folder and can list nothing on the way. */
const OPEN = 0o711;

/** A folder below `root` for this process alone. Those of processes that are gone go with what a kill left in them. */
export async function ownTemp(root: string): Promise<string> {
  await mkdir(root, { recursive: true, mode: OPEN });
  // A home of before has it closed.
  await chmod(root, OPEN);
  for (const name of await readdir(root)) {
    const [, pid, startTicks] = NAME.exec(name) ?? [];
    if (pid && startTicks && !isAlive({ pid: Number(pid), startTicks })) await rm(join(root, name), { recursive: true, force: true });
  }
  const { pid, startTicks } = processIdentity(process.pid) ?? { pid: process.pid, startTicks: "0" };
  const own = join(root, `${pid}-${startTicks}`);
  await mkdir(own, { recursive: true, mode: OPEN });
  return own;
}
