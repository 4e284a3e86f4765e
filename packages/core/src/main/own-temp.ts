import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { isAlive, processIdentity } from "@helixstack/supervisor";

const NAME = /^(\d+)-(\d+)$/;

/** A folder below `root` for this process alone. Those of processes that are gone go with what a kill left in them. */
export async function ownTemp(root: string): Promise<string> {
  await mkdir(root, { recursive: true, mode: 0o700 });
  for (const name of await readdir(root)) {
    const [, pid, startTicks] = NAME.exec(name) ?? [];
    if (pid && startTicks && !isAlive({ pid: Number(pid), startTicks })) await rm(join(root, name), { recursive: true, force: true });
  }
  const { pid, startTicks } = processIdentity(process.pid) ?? { pid: process.pid, startTicks: "0" };
  const own = join(root, `${pid}-${startTicks}`);
  await mkdir(own, { recursive: true, mode: 0o700 });
  return own;
}
