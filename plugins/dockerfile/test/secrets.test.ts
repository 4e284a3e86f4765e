import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { Secret } from "@helixstack/sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { base, clean, engine, isEngineThere, makeBase, makeWorld, run } from "./world.ts";

const CANARY = "canary-5d1e-build-token";
const FORMS = [CANARY, Buffer.from(CANARY).toString("base64").slice(0, 24), Buffer.from(CANARY).toString("hex")];
const secrets = [{ name: "NPM_TOKEN", version: "1" }];
const resolve = async () => new Secret(CANARY);

const hasBuildKit = ["docker", "/usr/bin/docker", "/usr/local/bin/docker"].some((program) => {
  try {
    return execFileSync(program, ["build", "--help"], {
      encoding: "utf8",
      env: { ...process.env, DOCKER_BUILDKIT: "1" },
      stdio: "pipe",
    }).includes("--secret");
  } catch {
    return false;
  }
});

describe.skipIf(!(await isEngineThere()) || !hasBuildKit)("secrets of a Dockerfile build", () => {
  beforeAll(makeBase);
  afterAll(clean);

  const build = async (script: string) => {
    const world = makeWorld({ Dockerfile: `FROM ${base}\nRUN --mount=type=secret,id=NPM_TOKEN ${script}\n` });
    Object.assign(world.context, { resolve });
    return {
      world,
      result: await world.build({ secrets }).catch((error: unknown) => error as { code: string; logs: string[]; message: string }),
    };
  };

  it("are there for the command that mounts them, and in no layer and no history", async () => {
    const { world, result } = await build('sh -c "cat /run/secrets/NPM_TOKEN > /dev/null && echo got it > /seen"');
    const { digest } = (result as { image: { digest: string } }).image;
    expect(await run(digest, ["cat", "/seen"])).toBe("got it");
    const saved = execFileSync("docker", ["--host", "unix:///var/run/docker.sock", "save", digest], { maxBuffer: 1 << 30 });
    const history = JSON.stringify(await engine.getImage(digest).history()) + JSON.stringify(await engine.getImage(digest).inspect());
    for (const form of FORMS) {
      expect(saved.includes(form)).toBe(false);
      expect(history).not.toContain(form);
      expect(world.lines.join("\n")).not.toContain(form);
    }
    world.close();
  });

  it("leave no file in memory behind, whether the build succeeds or fails", async () => {
    const left = () => readdirSync("/dev/shm").filter((name) => name.startsWith("helix-build-"));
    const before = left();
    const { world, result } = await build('sh -c "exit 3"');
    expect(result).toMatchObject({ code: "BUILD_FAILED" });
    expect(left()).toEqual(before);
    world.close();
  });

  it("would be found by the same search if a build copied them", async () => {
    const { world, result } = await build('sh -c "cat /run/secrets/NPM_TOKEN > /copied"');
    const { digest } = (result as { image: { digest: string } }).image;
    expect(execFileSync("docker", ["--host", "unix:///var/run/docker.sock", "save", digest], { maxBuffer: 1 << 30 }).includes(CANARY)).toBe(
      true,
    );
    world.close();
  });
});
