import { readFileSync } from "node:fs";
import { openDatabase, schemaVersion } from "./database.js";
import { migrations } from "./migrations.js";

const database = openDatabase();
const from = schemaVersion(database);
for (const [index, file] of migrations.entries()) {
  if (index < from) continue;
  // One transaction each: a migration is applied and counted, or neither.
  database.exec(`BEGIN; ${readFileSync(file, "utf8")}; PRAGMA user_version = ${index + 1}; COMMIT;`);
  console.log(`applied ${file.pathname.split("/").at(-1)}`);
}
console.log(`the schema is at version ${schemaVersion(database)}, it was ${from}`);
database.close();
