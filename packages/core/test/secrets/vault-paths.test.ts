import { Agent, request } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { vaultPolicy } from "../../src/domain/vault-policy.ts";
import { type VaultServer, startVault, vaultProgram } from "./vault-server.ts";
import { spellingsOf } from "./path-spellings.ts";

const PROJECTS = Array.from({ length: 25 }, (_, i) => `project-${String.fromCharCode(97 + i)}`);
const LANES = 32;
const valueOf = (project: string) => `vault-canary-of-${project}-e1f7`;
const pathOf = (project: string) => `helix/org_1/projects/${project}/production/TOKEN`;

/** One request on a path as it stands: nothing on the way tidies it up. */
type Ask = (path: string, token: string) => Promise<{ readonly status: number; readonly text: string }>;

describe.skipIf(vaultProgram === null)("a project's own policy at the real Vault (needs the program vault)", () => {
  let vault: VaultServer;
  let ask: Ask;
  const agent = new Agent({ keepAlive: true, maxSockets: LANES });
  const tokens = new Map<string, string>();

  beforeAll(async () => {
    vault = await startVault();
    ask = asker(new URL(vault.address), agent);
    await inLanes(PROJECTS, async (project) => {
      await vault.request("POST", `secret/data/${pathOf(project)}`, { body: { data: { value: valueOf(project) } } });
      const policy = vaultPolicy({ mount: "secret", prefix: "helix", organization: "org_1", project });
      await vault.request("PUT", `sys/policies/acl/${project}`, { body: { policy } });
      const { json } = await vault.request("POST", "auth/token/create", { body: { policies: [project], ttl: "10m" } });
      tokens.set(project, json.auth.client_token as string);
    });
  }, 60_000);
  afterAll(async () => {
    agent.destroy();
    await vault?.remove();
  });

  it("reads what is its own", async () => {
    const own = await inLanes(PROJECTS, (project) => ask(`/v1/secret/data/${pathOf(project)}`, tokens.get(project)!));
    expect(own.map(({ text }, i) => text.includes(valueOf(PROJECTS[i]!)))).toEqual(PROJECTS.map(() => true));
  });

  it("reads nothing of another project, by any of 2,000 spellings and more", { timeout: 120_000 }, async () => {
    const tries = PROJECTS.flatMap((own, i) => {
      const foreign = PROJECTS[(i + 1 + (i % 7)) % PROJECTS.length]!;
      return spellingsOf({ own, foreign, path: pathOf }).map((spelling) => ({ own, foreign, spelling }));
    });
    const answers = await inLanes(tries, ({ own, spelling }) => ask(spelling, tokens.get(own)!));
    const reads = tries.filter(({ foreign }, i) => answers[i]!.text.includes(valueOf(foreign)));
    const allowed = answers.filter(({ status }) => status < 300).length;
    // The same spellings with the right to everything: those that get there show that the others were tried for something.
    const root = await inLanes(tries.slice(0, tries.length / PROJECTS.length), ({ spelling }) => ask(spelling, vault.rootToken));
    const effective = root.filter(({ text }) => text.includes(valueOf(tries[0]!.foreign))).length;
    console.log(
      `${tries.length} tries (${PROJECTS.length} projects by ${root.length} spellings): ${reads.length} foreign reads, ${allowed} answers below 300; with the root token ${effective} of the spellings read the value`,
    );
    expect(tries.length).toBeGreaterThanOrEqual(2_000);
    expect(effective).toBeGreaterThanOrEqual(10);
    expect(reads.map(({ spelling }) => spelling)).toEqual([]);
  });
});

function asker({ hostname, port }: URL, agent: Agent): Ask {
  return (path, token) =>
    new Promise((resolve, reject) => {
      const [method, at] = path.startsWith("LIST ") ? ["LIST", path.slice(5)] : ["GET", path];
      const asked = request({ hostname, port, agent, method, path: at, headers: { "x-vault-token": token } }, (answer) => {
        const parts: Buffer[] = [];
        answer.on("data", (part: Buffer) => parts.push(part));
        answer.on("end", () => resolve({ status: answer.statusCode!, text: Buffer.concat(parts).toString() }));
      });
      asked.on("error", reject);
      asked.end();
    });
}

async function inLanes<T, R>(jobs: readonly T[], work: (job: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = [];
  let next = 0;
  const lane = async () => {
    for (let i = next++; i < jobs.length; i = next++) results[i] = await work(jobs[i]!);
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return results;
}
