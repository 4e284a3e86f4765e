import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { linkProblem } from "../src/source/links.ts";
import { walk } from "../src/source/walk.ts";
import { folderWith } from "./support/folder.ts";

const paths = async (root: string, sources: readonly string[] = ["."]) =>
  (await walk({ root, sources, except: ["helix.yaml"] })).found.map(({ path }) => path);

describe("what is taken", () => {
  it("leaves out tools, secrets and the manifest, keeps the rest", async () => {
    const root = folderWith({
      "helix.yaml": "",
      "a.js": "",
      ".git/HEAD": "",
      "node_modules/x/i.js": "",
      "lib/node_modules/y.js": "",
      ".helix/x": "",
      ".env": "",
      ".env.local": "",
      ".env.example": "",
      "lib/b.js": "",
    });
    expect(await paths(root)).toEqual([".env.example", "a.js", "lib", "lib/b.js"]);
  });

  it("follows .gitignore, nested ones too, and what they take back", async () => {
    const root = folderWith({
      ".gitignore": "*.log\n/dist\n",
      "a.log": "",
      "dist/x": "",
      "lib/.gitignore": "!keep.log\ntmp/\n",
      "lib/keep.log": "",
      "lib/other.log": "",
      "lib/tmp/x": "",
    });
    expect(await paths(root)).toEqual([".gitignore", "lib", "lib/.gitignore", "lib/keep.log"]);
  });

  it("follows .helixignore instead where there is one", async () => {
    const root = folderWith({ ".gitignore": "dist\n", ".helixignore": "docs\n", "dist/x": "", "docs/y": "" });
    expect(await paths(root)).toEqual([".gitignore", ".helixignore", "dist", "dist/x"]);
  });

  it("only below the named sources", async () => {
    const root = folderWith({ "README.md": "", "web/a.js": "", "apps/site/index.html": "", "apps/other/x": "" });
    expect(await paths(root, ["./web", "apps/site/"])).toEqual(["apps/site", "apps/site/index.html", "web", "web/a.js"]);
  });

  it("links that stay inside, as links", async () => {
    const root = folderWith({ "real/a.js": "" });
    symlinkSync("real", join(root, "link"));
    symlinkSync("../real/a.js", join(root, "real/self"));
    const { found } = await walk({ root, sources: ["."], except: [] });
    expect(found).toContainEqual({ kind: "link", path: "link", target: "real" });
    expect(found).toContainEqual({ kind: "link", path: "real/self", target: "../real/a.js" });
  });
});

describe("what is refused by name", () => {
  it("a link out of the source, absolute or relative", async () => {
    for (const target of ["/etc/passwd", "../outside", "../../etc/passwd"]) {
      const root = folderWith({ "a.js": "" });
      symlinkSync(target, join(root, "evil"));
      await expect(paths(root)).rejects.toMatchObject({ code: "SOURCE_INVALID", message: expect.stringContaining("evil") });
    }
  });

  it("a link out of a service's own folder, though it stays in the project", async () => {
    const root = folderWith({ "web/a.js": "", "shared/b.js": "" });
    symlinkSync("../shared/b.js", join(root, "web/b.js"));
    await expect(paths(root, ["web"])).rejects.toMatchObject({ code: "SOURCE_INVALID", message: expect.stringContaining("web/b.js") });
    expect(await paths(root, ["."])).toContain("web/b.js");
  });

  it("a link that climbs back through another name, which may be a link itself", () => {
    expect(linkProblem("e", { target: "d/../../x", source: "" })).not.toBeNull();
    expect(linkProblem("e", { target: "d/../x", source: "" })).not.toBeNull();
    expect(linkProblem("a/b/e", { target: "../x", source: "" })).toBeNull();
    expect(linkProblem("a/b/e", { target: "../../../x", source: "" })).not.toBeNull();
  });

  it("a source that is itself a link, or lies behind one", async () => {
    const root = folderWith({ "real/site/a": "" });
    symlinkSync("real", join(root, "link"));
    await expect(paths(root, ["link"])).rejects.toMatchObject({ code: "SOURCE_INVALID" });
    await expect(paths(root, ["link/site"])).rejects.toMatchObject({ code: "SOURCE_INVALID", message: expect.stringContaining("link") });
  });

  it("sockets and named pipes", async () => {
    const root = folderWith({ "a.js": "" });
    execFileSync("mkfifo", [join(root, "pipe")]);
    await expect(paths(root)).rejects.toMatchObject({ code: "SOURCE_INVALID", message: expect.stringContaining("pipe is a named pipe") });
    const other = folderWith({ "a.js": "" });
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(join(other, "s.sock"), resolve));
    await expect(paths(other)).rejects.toMatchObject({ message: expect.stringContaining("s.sock is a socket") });
    server.close();
  });

  it("but not when an ignore file lists them", async () => {
    const root = folderWith({ "a.js": "", ".helixignore": "pipe\nevil\n" });
    execFileSync("mkfifo", [join(root, "pipe")]);
    symlinkSync("/etc", join(root, "evil"));
    expect(await paths(root)).toEqual([".helixignore", "a.js"]);
  });

  it("a name that is not UTF-8", async () => {
    const root = folderWith({ "a.js": "" });
    writeFileSync(Buffer.concat([Buffer.from(`${root}/bad`), Buffer.from([0xff])]), "");
    await expect(paths(root)).rejects.toMatchObject({ code: "SOURCE_INVALID", message: expect.stringContaining("UTF-8") });
  });
});

it("names what may not be read", () => {
  const root = folderWith({ "a.js": "", "closed/b.js": "" });
  chmodSync(root, 0o755);
  chmodSync(join(root, "closed"), 0o000);
  // Root reads everything, so the walk runs as somebody else.
  const script = `import { walk } from ${JSON.stringify(new URL("../dist/source/walk.js", import.meta.url).href)};
    walk({ root: ${JSON.stringify(root)}, sources: ["."], except: [] }).then(() => console.log("read"), (e) => console.log(e.code, e.message));`;
  const asOther = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
  const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8", cwd: "/", ...asOther });
  chmodSync(join(root, "closed"), 0o755);
  expect(stdout, stderr).toBe("SOURCE_UNREADABLE closed cannot be read: permission denied.\n");
});
