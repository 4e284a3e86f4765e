import { processIdentity } from "@helixstack/supervisor";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { homedir } from "node:os";
import { expect, it } from "vitest";
import { findConnection, helixHome } from "../src/plane/home.ts";
import { startApi } from "./support/api-server.ts";
import { folderWith } from "./support/folder.ts";
import { helix } from "./support/helix.ts";

it("the home is HELIX_HOME, else one of the user's own", () => {
  expect(helixHome({ HELIX_HOME: "/x/y" })).toBe("/x/y");
  expect(helixHome({})).toBe(process.getuid!() === 0 ? "/var/lib/helix" : `${homedir()}/.helix`);
});

it("the address is HELIX_URL with HELIX_TOKEN, else what the home's control process left", () => {
  expect(findConnection({ HELIX_URL: "https://plane.example/", HELIX_TOKEN: "t" })).toEqual({ url: "https://plane.example", token: "t" });
  const home = folderWith({
    "run/control.json": JSON.stringify({ url: "http://127.0.0.1:7300", ...processIdentity(process.pid) }),
    "keys/local-token": "local\n",
  });
  expect(findConnection({ HELIX_HOME: home })).toEqual({ url: "http://127.0.0.1:7300", token: "local" });
  expect(findConnection({ HELIX_HOME: folderWith({}) })).toBeNull();
  expect(findConnection({ HELIX_HOME: folderWith({ "run/control.json": "{" }) })).toBeNull();
});

it("never gives the token to whoever has taken the port of a control process that is gone", async () => {
  const child = spawn("sleep", ["60"]);
  const identity = processIdentity(child.pid!);
  child.kill("SIGKILL");
  await once(child, "exit");
  const stranger = await startApi({});
  const home = folderWith({ "run/control.json": JSON.stringify({ url: stranger.url, ...identity }), "keys/local-token": "local" });
  expect(await helix(["ls", "--json"], { env: { HELIX_HOME: home } })).toMatchObject({
    exit: 1,
    documents: [{ error: { code: "PLANE_DOWN" } }],
  });
  expect(stranger.seen).toEqual([]);
  await stranger.kill();
});
