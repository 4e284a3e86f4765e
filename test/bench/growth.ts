import pg from "pg";
import type { Figure } from "./frame/figure.ts";
import { compare, interleave, timed } from "./frame/measure.ts";
import { nullProject } from "./support/null-project.ts";
import { type BenchPlane, openBenchPlane } from "./support/plane.ts";

/** The same requests on a ledger with a thousand recorded deployments, and on one with a hundred thousand. */
export const figure: Figure = {
  title: "Growth of the ledger",
  goal: "list, deploy, rollback and plan on 100,000 recorded deployments at most 1.15 times what they take on 1,000",
  rounds: 30,
  async run({ rounds, note, database }) {
    const [small, large] = [await grown(1_000), await grown(100_000)];
    try {
      await database(await large.plane.databaseUrl());
      note("the recorded deployments have steps, events, releases and decisions like real ones, in one environment");
      const acts = ["list", "plan", "deploy", "rollback"] as const;
      const rows = [];
      for (const act of acts) {
        const measured = await interleave(rounds + 4, { small: (round) => small[act](round), large: (round) => large[act](round) });
        const [helix, peer] = [measured.large.slice(4), measured.small.slice(4)];
        rows.push(compare({ name: `${act}, 100,000 deployments`, unit: "ms", helix, peer, against: "1,000" }, { of: "ratio", most: 1.15 }));
      }
      return rows;
    } finally {
      await small.plane.remove();
      await large.plane.remove();
    }
  },
};

async function grown(deployments: number) {
  const plane = await openBenchPlane();
  const project = await nullProject(plane);
  const name = "growth";
  await plane.live(await project.ask(name, "first"));
  await multiply(await plane.databaseUrl(), deployments);
  const wait = (id: string) => plane.live(id);
  return {
    plane,
    list: () => timed(() => plane.request("GET", `/v1/deployments?project=${name}&limit=50`)),
    plan: (round: number) =>
      timed(() => plane.request("POST", "/v1/plan", { manifest: project.manifest(name, `plan ${round}`), entries: ENTRIES })),
    deploy: (round: number) => ran(plane, async () => wait(await project.ask(name, `round ${round}`))),
    async rollback() {
      const { items } = await plane.request<{ items: readonly { id: string }[] }>(
        "GET",
        `/v1/projects/${name}/environments/production/releases?limit=2`,
      );
      return ran(plane, async () => wait(await plane.create({ kind: "rollback", project: name, release: items[1]!.id })));
    },
  };
}

const ENTRIES = [
  {
    path: "index.js",
    type: "file",
    mode: "644",
    size: 1,
    digest: "sha256:6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b",
  },
];

/** From the record to the verdict, as the ledger says: the client's own looks are not in it. */
async function ran(plane: BenchPlane, act: () => Promise<{ readonly deployment: { readonly id: string } }>): Promise<number> {
  const { deployment } = await act();
  const { createdAt, endedAt } = await plane.request<{ createdAt: string; endedAt: string }>("GET", `/v1/deployments/${deployment.id}`);
  return Date.parse(endedAt) - Date.parse(createdAt);
}

/** Copies of the one real deployment with all its rows, older than it. */
async function multiply(connectionString: string, count: number): Promise<void> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  const id = (column: string, prefix: string) => `'${prefix}_00' || lpad(n::text, 18, '0') as ${column}`;
  const copy = async (table: string, replaced: Readonly<Record<string, string>>) => {
    const { rows } = await client.query<{ name: string }>(
      "select column_name as name from information_schema.columns where table_schema = 'helix' and table_name = $1 and is_identity = 'NO' order by ordinal_position",
      [table],
    );
    const columns = rows.map(({ name }) => name);
    const values = columns.map((name) => replaced[name] ?? `t."${name}"`);
    const list = columns.map((name) => `"${name}"`).join(", ");
    await client.query(
      `insert into helix.${table} (${list}) select ${values.join(", ")} from helix.${table} t, generate_series(1, ${count}) n`,
    );
  };
  const deployment = id("", "dep").replace(/ as $/, "");
  await copy("deployment", { id: deployment, created_at: "t.created_at - interval '1 year'", release: "null" });
  await copy("run", { id: "t.id || n", deployment });
  await copy("step", { deployment });
  await copy("decision", { id: "t.id || n", deployment, input: "'{}'", at: "t.at - interval '1 year'" });
  await copy("event", {
    stream: "case when t.stream like 'deployment:%' then 'deployment:' || n else t.stream end",
    seq: "case when t.stream like 'deployment:%' then t.seq else t.seq + 1000 + n * 10 end",
  });
  await copy("release", {
    id: id("", "rel").replace(/ as $/, ""),
    deployment,
    number: "n + 1",
    created_at: "t.created_at - interval '1 year'",
  });
  await client.query("update helix.release set number = 0 where number = 1");
  await client.query(`update helix.environment set last_release_number = ${count + 1}`);
  await client.query("vacuum analyze");
  await client.end();
}
