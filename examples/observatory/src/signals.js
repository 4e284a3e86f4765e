import { json } from "./json.js";

const seen = [];
const WATCHED = ["SIGTERM", "SIGINT", "SIGHUP", "SIGUSR2", "SIGCONT"];

/** On SIGTERM: no new connections, requests in flight are finished, then exit code 0. */
export function endGracefully(server) {
  for (const signal of WATCHED) process.on(signal, () => note(signal));
  for (const signal of ["SIGTERM", "SIGINT"]) {
    process.once(signal, () => {
      server.close(() => {
        console.log("finished what was in flight, ending");
        process.exit(0);
      });
      // A connection that is kept alive would hold the end up once its request is answered.
      setInterval(() => server.closeIdleConnections(), 100);
    });
  }
}

export function signals(_request, response) {
  json(response, { pid: process.pid, seen });
}

/** `?line=TEXT&stream=stderr` writes a line as it is. */
export function log(_request, response, { url }) {
  const line = url.searchParams.get("line") ?? "a line";
  const stream = url.searchParams.get("stream") === "stderr" ? "stderr" : "stdout";
  process[stream].write(`${line}\n`);
  json(response, { line, stream });
}

/** Ends at once with exit code 1, as an application does that throws. */
export function crash() {
  setImmediate(() => {
    throw new Error("crashed, as asked");
  });
}

/** `?code=0` answers, then ends with that exit code. */
export function exit(_request, response, { url }) {
  const code = Number(url.searchParams.get("code") ?? 0);
  response.once("finish", () => setImmediate(() => process.exit(code)));
  json(response, { code });
}

function note(signal) {
  seen.push({ signal, at: new Date().toISOString() });
  console.log(`got ${signal}`);
}
