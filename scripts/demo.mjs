// `npm run demo`: sets the clone up, deploys an example with the embedded defaults, asks it something, and leaves it running.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { root, setUp } from "./setup.mjs";

const example = "notes-api";
setUp();

console.log(`Deploying examples/${example}.`);
const deploy = spawnSync(process.execPath, [join(root, "packages/cli/bin/helix.js"), "deploy", "--json"], {
  cwd: join(root, "examples", example),
  stdio: ["ignore", "pipe", 2],
  encoding: "utf8",
});
const answer = deploy.stdout ? JSON.parse(deploy.stdout) : null;
if (deploy.status !== 0 || !answer?.ok) {
  console.error(
    answer
      ? `${answer.error.code}: ${answer.error.message}\n${answer.error.hint}`
      : `helix deploy ended with ${deploy.status ?? deploy.signal}`,
  );
  process.exit(deploy.status || 1);
}

const [service] = answer.services;
const { host, port } = service.address;
await ask("GET", "/health");
await ask("POST", "/notes", { text: `Deployed as ${answer.release.id}.` });
await ask("GET", "/notes");
console.log("It goes on running. `npx helix status` shows it, `npx helix down` stops everything.");
// The loopback address: some clients do not resolve names under .localhost.
console.log(`Also as ${service.url} in browsers and curl.`);
console.log(`URL http://${host}:${port}`);

async function ask(method, path, body) {
  const init = body ? { method, body: JSON.stringify(body), headers: { "content-type": "application/json" } } : { method };
  const response = await fetch(`http://${host}:${port}${path}`, init);
  console.log(`${method} ${path} -> ${response.status} ${(await response.text()).slice(0, 200)}`);
  if (!response.ok) process.exit(1);
}
