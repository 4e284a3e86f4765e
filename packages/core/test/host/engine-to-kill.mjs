// An engine of its own, to be killed: starts a host, blocks it if told to, and writes the host's pid.
import { createDispatcher, loadPlugins } from "../../dist/host/index.js";

const [plugins, home, isBlocked] = process.argv.slice(2);
const registry = await loadPlugins({ folders: [plugins] });
const dispatcher = createDispatcher({ registry, homes: () => home });
const names = { project: "p", environment: "e", service: "s" };
const identity = { installation: "i", organization: "o", project: "p", environment: "e", unit: "u", revision: "r", names };
const call = {
  plane: "runtime",
  plugin: "faulty",
  identity,
  operationId: "op",
  fence: 1,
  input: { prior: null, graceMs: 0 },
  deadlineMs: 60_000,
};

await dispatcher.call({ ...call, verb: "observe" });
if (isBlocked === "blocked") dispatcher.call({ ...call, verb: "destroy" }).catch(() => {});
process.stdout.write(`${dispatcher.hosts()[0].pid}\n`);
