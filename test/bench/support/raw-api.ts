// A bare Fastify that answers the list of deployments from the same database: `DATABASE_URL`; its port is the first line of stdout.
import { createRequire } from "node:module";
import pg from "pg";

const core = createRequire(new URL("../../../packages/core/package.json", import.meta.url));
interface App {
  get(path: string, handler: () => Promise<object>): void;
  listen(at: { host: string; port: number }): Promise<string>;
}
const fastify = core("fastify") as () => App;
const pool = new pg.Pool({ connectionString: process.env["DATABASE_URL"] });
const TOKEN = { name: "token", text: "select organization, principal from helix.token where revoked_at is null limit 1" };
const LIST = `select d.*, e.name as environment_name, p.name as project_name, w.name as principal_name from helix.deployment d
  join helix.environment e on e.organization = d.organization and e.id = d.environment
  join helix.project p on p.organization = d.organization and p.id = d.project
  join helix.principal w on w.organization = d.organization and w.id = d.principal
  order by d.organization, d.id desc limit 50`;

const app = fastify();
app.get("/deployments", async () => {
  await pool.query(TOKEN);
  const { rows } = await pool.query({ name: "list", text: LIST });
  return {
    items: rows.map(({ plan: _, request, ...row }: { plan: unknown; request: { kind: string } }) => ({ ...row, kind: request.kind })),
  };
});
const url = await app.listen({ host: "127.0.0.1", port: 0 });
process.stdout.write(`${new URL(url).port}\n`);
