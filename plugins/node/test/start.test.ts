import { describe, expect, it } from "vitest";
import type { PackageJson } from "@helixstack/node-toolchain";
import { writtenStart } from "../src/start.ts";

function withScripts(scripts: Record<string, string>): PackageJson {
  const none = { dependencies: {}, devDependencies: {}, dependencyCount: 0, hasWorkspaces: false };
  return { ...none, main: null, scripts, node: null, packageManager: null };
}

describe("the start command", () => {
  it("is the manifest's before the script's", () => {
    expect(writtenStart("node a.js", withScripts({ start: "node b.js" }))).toEqual({ argv: ["node", "a.js"], env: {} });
  });

  it("comes from the start script, with the environment before it", () => {
    const start = writtenStart(null, withScripts({ start: "NODE_ENV=production node ." }));
    expect(start).toEqual({ argv: ["node", "."], env: { NODE_ENV: "production" } });
  });

  it("looks through npm to what a script runs", () => {
    const packageJson = withScripts({ start: "npm run -s serve", serve: "A=1 pnpm web", web: "B=2 node web.js" });
    expect(writtenStart("npm start", packageJson)).toEqual({ argv: ["node", "web.js"], env: { A: "1", B: "2" } });
  });

  it("leaves npm alone when there is more to it", () => {
    const packageJson = withScripts({ serve: "node web.js" });
    expect(writtenStart("npm run serve -- --port 1", packageJson)?.argv[0]).toBe("npm");
    expect(writtenStart("npm run other", packageJson)?.argv).toEqual(["npm", "run", "other"]);
  });

  it("ends for scripts that run each other", () => {
    expect(writtenStart("npm run a", withScripts({ a: "npm run b", b: "npm run a" }))?.argv[0]).toBe("npm");
  });

  it("does not take a development server", () => {
    expect(writtenStart(null, withScripts({ start: "vite" }))).toBeNull();
  });

  it("says whether the manifest or package.json has to change", () => {
    expect(() => writtenStart("node a && node b", null)).toThrow(expect.objectContaining({ code: "INVALID_SPEC" }));
    const byScript = expect.objectContaining({ code: "SOURCE_UNFIT", hint: expect.stringContaining("`start:`") });
    expect(() => writtenStart(null, withScripts({ start: "tsc && node dist" }))).toThrow(byScript);
    expect(() => writtenStart("npm start", withScripts({ start: "tsc && node dist" }))).toThrow(byScript);
  });
});
