const body = {
  type: "object",
  required: ["text"],
  additionalProperties: false,
  properties: { text: { type: "string", minLength: 1, maxLength: 10_000 } },
};
const params = { type: "object", properties: { id: { type: "integer", minimum: 1 } } };

export function notesRoutes(app, { database }, done) {
  app.get("/", () => database.all("SELECT id, text, done, created_at AS createdAt FROM notes ORDER BY id").map(shown));

  app.post("/", { schema: { body } }, (request, reply) => {
    const { lastInsertRowid } = database.run("INSERT INTO notes (text, created_at) VALUES (?, ?)", [
      request.body.text,
      new Date().toISOString(),
    ]);
    return reply.code(201).send(find(Number(lastInsertRowid)));
  });

  app.get("/:id", { schema: { params } }, (request, reply) => find(request.params.id) ?? missing(reply));

  app.post("/:id/done", { schema: { params } }, (request, reply) => {
    database.run("UPDATE notes SET done = 1 WHERE id = ?", [request.params.id]);
    return find(request.params.id) ?? missing(reply);
  });

  app.delete("/:id", { schema: { params } }, (request, reply) => {
    const { changes } = database.run("DELETE FROM notes WHERE id = ?", [request.params.id]);
    return changes === 0 ? missing(reply) : reply.code(204).send();
  });

  function find(id) {
    const row = database.get("SELECT id, text, done, created_at AS createdAt FROM notes WHERE id = ?", [id]);
    return row ? shown(row) : null;
  }

  done();
}

function shown(row) {
  return { ...row, done: row.done === 1 };
}

function missing(reply) {
  return reply.code(404).send({ error: "There is no such note." });
}
