import Fastify from "fastify";
import { openDatabase, schemaVersion } from "./database.js";
import { migrations } from "./migrations.js";
import { notesRoutes } from "./notes.js";

const database = openDatabase();
const app = Fastify({ logger: { level: process.env.LOG_LEVEL ?? "info" }, forceCloseConnections: "idle" });

app.get("/", () => ({ name: "notes-api", notes: "/notes", greeting: process.env.GREETING ?? null }));

app.get("/health", (_request, reply) => {
  const schema = schemaVersion(database);
  if (schema === migrations.length) return { status: "ok", schema };
  return reply.code(503).send({ status: "waiting for the task migrate", schema, wanted: migrations.length });
});

await app.register(notesRoutes, { database, prefix: "/notes" });
app.addHook("onClose", () => database.close());

for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, () => app.close().then(() => process.exit(0)));
await app.listen({ port: Number(process.env.PORT ?? 3000), host: process.env.HOST ?? "0.0.0.0" });
