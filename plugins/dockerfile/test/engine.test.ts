import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Artifact } from "@helixstack/sdk";
import { build } from "../src/build.ts";
import { type World, base, clean, engine, isEngineThere, makeBase, makeWorld, run } from "./world.ts";

const isThere = await isEngineThere();
const worlds: World[] = [];
afterEach(() => worlds.splice(0).forEach((world) => world.close()));

function given(files: Record<string, string>, options: Parameters<typeof makeWorld>[1] = {}): World {
  const world = makeWorld(files, options);
  worlds.push(world);
  return world;
}

describe.skipIf(!isThere)("with the Docker Engine at /var/run/docker.sock", () => {
  beforeAll(makeBase);
  afterAll(clean);

  it("builds an image that runs, with labels, a name and what it is made of", async () => {
    const world = given({ Dockerfile: `FROM ${base}\nCOPY a.txt /a.txt\nUSER 1000\nCMD ["cat", "/a.txt"]\n`, "a.txt": "hello" });
    const { metadata, image } = await world.build();
    expect(image.uri).toBe(`docker-image:${image.digest}`);
    expect(image.digest).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(metadata).toEqual({ user: "1000", base: [base], sizeBytes: expect.any(Number) });
    expect(metadata.sizeBytes).toBeGreaterThan(100_000);
    expect(await run(image.digest, ["cat", "/a.txt"])).toBe("hello");
    const found = await engine.getImage(image.digest).inspect();
    expect(found.Config.Labels).toMatchObject({ "helix.unit": "u" });
    expect(found.RepoTags).toEqual([`helix/my-shop-web:${image.digest.slice(7, 19)}`]);
    expect(world.lines.some((line) => line.startsWith("Step 1/"))).toBe(true);
    expect(await build.toolchain(world.context)).toMatch(/^docker engine \d+/);
  });

  it("gives the same image for the same input", async () => {
    const files = { Dockerfile: `FROM ${base}\nCOPY . /app\n`, "a.txt": "same" };
    expect((await given(files).build()).image.digest).toBe((await given(files).build()).image.digest);
  });

  it("takes another Dockerfile, a stage and arguments", async () => {
    const text = `FROM ${base} AS first\nARG WORD\nRUN echo $WORD > /word\nFROM ${base}\nRUN echo last > /word\n`;
    const { image } = await given({ "docker/web": text }).build({ spec: { path: "docker/web", target: "first", args: { WORD: "hi" } } });
    expect(await run(image.digest, ["cat", "/word"])).toBe("hi");
  });

  it("sends what .dockerignore leaves, and builds even if the Dockerfile is left out", async () => {
    const world = given({
      Dockerfile: `FROM ${base}\nCOPY . /app\n`,
      ".dockerignore": "*\n!src\nsrc/**/*.log\n!src/deep/keep.log\n",
      "src/a.js": "",
      "src/deep/keep.log": "",
      "src/deep/drop.log": "",
      "secret.txt": "",
    });
    const { image } = await world.build();
    // The engine itself takes the Dockerfile out again, since it is ignored.
    expect(await run(image.digest, ["ls", "-A", "/app"])).toBe("src");
    expect(await run(image.digest, ["ls", "-A", "/app/src"])).toBe("a.js  deep");
    expect(await run(image.digest, ["ls", "/app/src/deep"])).toBe("keep.log");
  });

  it("fails with the last lines of a command that fails", async () => {
    const world = given({ Dockerfile: `FROM ${base}\nRUN echo before && exit 3\n` });
    const failure = await world.build().catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "BUILD_FAILED", message: expect.stringContaining("code: 3") });
    expect((failure as { logs: string[] }).logs).toContain("before");
  });

  it.each([
    ["a line that is no instruction", "FOO bar\n", "FOO"],
    ["a file that is not there", `FROM ${base}\nCOPY nope /\n`, "nope"],
    ["BuildKit's own syntax", `FROM ${base}\nRUN --mount=type=cache,target=/x echo\n`, "BuildKit"],
  ])("says what is wrong with %s", async (_name, Dockerfile, words) => {
    await expect(given({ Dockerfile }).build()).rejects.toMatchObject({ code: "BUILD_FAILED", message: expect.stringContaining(words) });
  });

  it("says which stage is missing", async () => {
    const world = given({ Dockerfile: `FROM ${base} AS one\n` });
    await expect(world.build({ spec: { target: "two" } })).rejects.toMatchObject({
      code: "BUILD_FAILED",
      message: expect.stringContaining("two"),
    });
  });

  it("stops when the call is cancelled", async () => {
    const abort = new AbortController();
    const world = given({ Dockerfile: `FROM ${base}\nRUN sleep 60\n` }, { signal: abort.signal });
    setTimeout(() => abort.abort(), 1_500);
    const started = performance.now();
    await expect(world.build()).rejects.toMatchObject({ code: "ABORTED" });
    expect(performance.now() - started).toBeLessThan(3_500);
  });

  it("prunes what is not kept, and nothing that others use or named", async () => {
    const images = [];
    for (const word of ["kept", "used", "named", "old"]) {
      images.push((await given({ Dockerfile: `FROM ${base}\nRUN echo ${word} > /w\n` }).build()).image);
    }
    const [kept, used, named, old] = images as [Image, Image, Image, Image];
    const container = await engine.createContainer({ Image: used.digest, Cmd: ["cat", "/w"] });
    await engine.getImage(named.digest).tag({ repo: "somebody-elses", tag: String(process.pid) });
    const { context } = given({});
    const artifact = { kind: "oci-image", digest: kept.digest, uri: kept.uri, metadata: {} } as unknown as Artifact;
    try {
      const { freedBytes } = await build.prune!(context, { keep: [artifact] });
      expect(freedBytes).toBeGreaterThanOrEqual(0);
      const isLeft = (image: Image) => build.has!(context, { artifact: { ...artifact, digest: image.digest } as Artifact });
      expect(await Promise.all([kept, used, named, old].map(isLeft))).toEqual([true, true, true, false]);
      expect(await engine.getImage(base).inspect()).toBeTruthy();
    } finally {
      await container.remove({ force: true });
    }
  });
});

type Image = { readonly uri: string; readonly digest: string };
