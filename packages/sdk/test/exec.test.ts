import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runCommand } from "../src/exec.ts";
import { inheritedEnv } from "../src/exec-env.ts";
import { Secret } from "../src/secret.ts";

let cwd: string;
let lines: string[];
beforeEach(() => {
  cwd = realpathSync(mkdtempSync(join(tmpdir(), "helix-exec-")));
  lines = [];
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

function context(signal: AbortSignal = new AbortController().signal) {
  const log = (line: string): void => void lines.push(line);
  return { signal, log: { debug: log, info: log, warn: log, error: log } };
}

const node = (code: string, ...rest: string[]): string[] => [process.execPath, "-e", code, ...rest];

describe("runCommand", () => {
  it("passes arguments as they are, and logs each line", async () => {
    const code = "console.log(process.argv[1]); console.error('second'); process.stdout.write('no end')";
    const result = await runCommand(context(), node(code, "a && $HOME 'b'"), { cwd });
    expect(result.exitCode).toBe(0);
    expect([...result.tail].sort()).toEqual(["a && $HOME 'b'", "no end", "second"]);
    expect(lines).toEqual(result.tail);
  });

  it("returns the exit code, and a signal as 128 and its number", async () => {
    expect((await runCommand(context(), node("process.exit(7)"), { cwd })).exitCode).toBe(7);
    expect((await runCommand(context(), node("process.kill(process.pid, 'SIGTERM')"), { cwd })).exitCode).toBe(143);
  });

  it("keeps the last 100 lines and logs all", async () => {
    const { tail } = await runCommand(context(), node("for (let i = 0; i < 250; i++) console.log(i)"), { cwd });
    expect(lines).toHaveLength(250);
    expect(tail).toEqual(Array.from({ length: 100 }, (_, i) => String(150 + i)));
  });

  it("shows a line that was drawn over as it stood last, without colours, and cuts endless ones", async () => {
    const code = "process.stdout.write('10%\\r99%\\r\\n\\x1b[31mred\\x1b[0m\\n' + 'x'.repeat(40000))";
    await runCommand(context(), node(code), { cwd });
    expect(lines.slice(0, 2)).toEqual(["99%", "red"]);
    expect(lines.slice(2).every((line) => line.length <= 16_384)).toBe(true);
    expect(lines.slice(2).join("")).toBe("x".repeat(40_000));
  });

  it("gives no more of its own environment than programs need", async () => {
    process.env["HELIX_TEST_LEAK"] = "1";
    process.env["NODE_ENV"] = "production";
    const code = "console.log(JSON.stringify([process.env.HELIX_TEST_LEAK, process.env.NODE_ENV, process.env.OWN, !!process.env.PATH]))";
    try {
      await runCommand(context(), node(code), { cwd, env: { OWN: "x" } });
    } finally {
      delete process.env["HELIX_TEST_LEAK"];
      process.env["NODE_ENV"] = "test";
    }
    expect(lines).toEqual([JSON.stringify([null, null, "x", true])]);
  });

  it("inherits how npm reaches its registry, and nothing else of npm", () => {
    const env = { npm_config_registry: "r", NPM_CONFIG_CAFILE: "c", "npm_config_@acme:registry": "a", npm_config_omit: "dev", LC_ALL: "C" };
    expect(inheritedEnv(env)).toEqual({
      npm_config_registry: "r",
      NPM_CONFIG_CAFILE: "c",
      "npm_config_@acme:registry": "a",
      LC_ALL: "C",
    });
  });

  it("passes the plugin host's mark on, so that what a dead host left is found", () => {
    expect(inheritedEnv({ HELIX_PLUGIN_HOST: "mark", HELIX_TOKEN: "t" })).toEqual({ HELIX_PLUGIN_HOST: "mark" });
  });

  it("hands over secrets and masks them in the output", async () => {
    const secretEnv = { TOKEN: new Secret("hunter2"), KEY: new Secret("line one\nline two") };
    const { tail } = await runCommand(context(), node("console.log('t=' + process.env.TOKEN + '\\n' + process.env.KEY)"), {
      cwd,
      secretEnv,
    });
    expect(tail).toEqual(["t=[secret]", "[secret]", "[secret]"]);
    expect(lines.join()).not.toContain("hunter2");
  });

  it("names a program that is not there", async () => {
    const run = runCommand(context(), ["no-such-program-here"], { cwd });
    await expect(run).rejects.toMatchObject({ code: "UNSUPPORTED", message: expect.stringContaining("no-such-program-here") });
  });

  it("names a file that may not be executed, and a folder that is not there", async () => {
    writeFileSync(join(cwd, "tool"), "#!/bin/sh\n", { mode: 0o644 });
    await expect(runCommand(context(), [join(cwd, "tool")], { cwd })).rejects.toMatchObject({ code: "UNSUPPORTED" });
    const gone = join(cwd, "gone");
    await expect(runCommand(context(), node(""), { cwd: gone })).rejects.toMatchObject({ message: expect.stringContaining(gone) });
  });

  it("tells a full disk from other failures", async () => {
    const full = node("console.error('npm error ENOSPC: no space left on device, write'); process.exit(1)");
    await expect(runCommand(context(), full, { cwd })).rejects.toMatchObject({ code: "DISK_FULL" });
    const watchers = node("console.error('ENOSPC: System limit for number of file watchers reached'); process.exit(1)");
    expect((await runCommand(context(), watchers, { cwd })).exitCode).toBe(1);
  });

  it("refuses to start after the abort", async () => {
    await expect(runCommand(context(AbortSignal.abort()), node(""), { cwd })).rejects.toMatchObject({ code: "ABORTED" });
  });

  it("ends the whole group on abort, also what ignores SIGTERM", async () => {
    const abort = new AbortController();
    const code = `
      process.on('SIGTERM', () => {});
      const child = require('node:child_process').spawn(process.execPath, ['-e', 'process.on("SIGTERM",()=>{});setInterval(()=>{},1e3)']);
      console.log(process.pid + ' ' + child.pid); setInterval(() => {}, 1000)`;
    const run = runCommand(context(abort.signal), node(code), { cwd });
    const pids = await firstPids();
    const started = performance.now();
    abort.abort();
    await expect(run).rejects.toMatchObject({ code: "ABORTED" });
    expect(performance.now() - started).toBeLessThan(2_000);
    await expectGone(pids);
  });

  it("leaves nothing running behind a program that ended", async () => {
    const code = `
      const child = require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(()=>{},1e3)'], { stdio: 'inherit' });
      console.log(child.pid); child.unref(); setTimeout(() => process.exit(0), 100)`;
    const { exitCode } = await runCommand(context(), node(code), { cwd });
    expect(exitCode).toBe(0);
    await expectGone([Number(lines[0])]);
  });

  it("ends the program when the caller is killed", async () => {
    const file = join(cwd, "pid");
    const inner = `require('node:fs').writeFileSync(${JSON.stringify(file)}, String(process.pid)); setInterval(() => {}, 1000)`;
    const module = new URL("../dist/exec.js", import.meta.url).href;
    const outer = `
      import { runCommand } from ${JSON.stringify(module)};
      const log = () => {};
      await runCommand({ signal: new AbortController().signal, log: { info: log } }, [process.execPath, '-e', ${JSON.stringify(inner)}], { cwd: '/' });`;
    const caller = spawn(process.execPath, ["--input-type=module", "-e", outer], { stdio: "inherit" });
    const pid = await eventually(() => Number(readFileSync(file, "utf8")));
    caller.kill("SIGKILL");
    await expectGone([pid]);
  });
});

async function firstPids(): Promise<number[]> {
  return eventually(() => lines[0]!.split(" ").map(Number));
}

async function expectGone(pids: readonly number[]): Promise<void> {
  await eventually(() => {
    for (const pid of pids) expect(isRunning(pid)).toBe(false);
  });
}

function isRunning(pid: number): boolean {
  try {
    // A zombie that nobody has reaped yet runs nothing.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

async function eventually<T>(read: () => T): Promise<T> {
  const until = performance.now() + 8_000;
  for (;;) {
    try {
      return read();
    } catch (error) {
      if (performance.now() > until) throw error;
      await sleep(30);
    }
  }
}
