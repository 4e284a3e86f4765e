import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";

interface Locked {
  readonly optional?: boolean;
  readonly optionalDependencies?: Record<string, string>;
}

// `npm ci` refuses a lockfile that leaves out one platform's binary of a tool, on every platform: a clone could not be installed.
test("the lockfile names the binaries of every platform", async () => {
  const { packages } = JSON.parse(await readFile(new URL("../../package-lock.json", import.meta.url), "utf8")) as {
    packages: Record<string, Locked>;
  };
  const names = new Set(Object.keys(packages).map((path) => path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length)));
  const missing = Object.entries(packages)
    // What is optional itself may be left out whole, and npm does not ask further.
    .filter(([, locked]) => locked.optional !== true)
    .flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies)
        .filter((name) => !names.has(name))
        .map((name) => `${path}: ${name}`),
    );
  expect(missing).toEqual([]);
});
