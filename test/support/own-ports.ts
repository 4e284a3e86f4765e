import { writeFile } from "node:fs/promises";
import { join } from "node:path";

/** HAProxy opens all of its ports when it starts: another plane of this machine must not have the same. */
const COUNT = 60;

/** Gives the plugin `haproxy` of a home ports that other homes of this machine hardly have. */
export async function giveOwnPorts(home: string): Promise<void> {
  const first = 40_000 + COUNT * Math.floor(Math.random() * 200);
  await writeFile(join(home, "config.yaml"), `plugins: { haproxy: { ports: { first: ${first}, count: ${COUNT} } } }\n`);
}
