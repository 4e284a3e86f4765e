import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Upstream, get, makeUpstream, target } from "../../../test/delivery/tools.ts";
import { type World, isHere, makeWorld } from "./world.ts";

const PREFIX_V2 = Buffer.from("0d0a0d0a000d0a515549540a", "hex");
const UNIQUE_ID = 0x05;
/** HAProxy's names in the kernel are as long as a socket's name can be. */
const NAME_BYTES = 108;

describe.skipIf(!isHere)("haproxy: names in the kernel, which every user of the machine may take and see", () => {
  let world: World;
  let app: Upstream;

  beforeAll(async () => {
    world = await makeWorld();
    app = await makeUpstream((_req, res) => void res.end("ok"));
  });

  afterAll(async () => {
    await app?.close();
    await world?.stop();
  });

  it("cannot be derived from paths: who sits on what can be stops nobody", async () => {
    const derived = (path: string, length: number): string => createHash("sha256").update(path).digest("hex").slice(0, length);
    const names = [
      `helix-haproxy-${derived(world.config.stateDir, 32)}`,
      `helix-${derived(world.config.socket, 24)}`.padEnd(NAME_BYTES - 1, "\0"),
    ];
    const squatters = await Promise.all(names.map(squat));
    const observed = await world.apply([{ targets: [target(app.port)] }]);
    expect((await get(observed.addresses[0]?.address.port ?? 0)).body).toBe("ok");
    for (const squatter of squatters) squatter.close();
  });

  it("give nobody a way past the front: HAProxy takes from itself only what has its secret", async () => {
    await world.apply([{ targets: [target(app.port)] }]);
    const [, id] = /^routes (\S+\/web)\/1 /m.exec(await readFile(join(world.config.stateDir, "journal"), "utf8")) ?? [];
    const text = await readFile(join(world.config.stateDir, "haproxy.cfg"), "utf8");
    const name = /bind abns@(\S+)/.exec(text)?.[1] ?? "";
    const secret = /unique-id-format (\w+)\|/.exec(text)?.[1] ?? "";
    expect(await askAgain(name, `${secret}|${id}||4`)).toContain("ok");
    expect(await askAgain(name, `${"0".repeat(24)}|${id}||4`)).toBe("");
  });
});

async function squat(name: string): Promise<{ close: () => void }> {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(`\0${name}`, resolve));
  return { close: () => void server.close() };
}

/** What HAProxy answers on the socket that it keeps for itself. */
async function askAgain(name: string, uniqueId: string): Promise<string> {
  const socket = connect(`\0${name.padEnd(NAME_BYTES - 1, "\0")}`);
  const tlv = Buffer.from([UNIQUE_ID, 0, uniqueId.length, ...Buffer.from(uniqueId)]);
  const addresses = Buffer.from([127, 0, 0, 1, 127, 0, 0, 1, 0, 1, 0, 1]);
  socket.write(Buffer.concat([PREFIX_V2, Buffer.from([0x21, 0x11, 0, addresses.length + tlv.length]), addresses, tlv]));
  socket.write("GET / HTTP/1.1\r\nHost: any\r\nConnection: close\r\n\r\n");
  let answer = "";
  socket.setEncoding("utf8").on("data", (chunk: string) => (answer += chunk));
  await new Promise<void>((resolve) => socket.on("error", () => undefined).once("close", () => resolve()));
  return answer;
}
