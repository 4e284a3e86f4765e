import { echo } from "./echo.js";
import { json } from "./json.js";
import { data, work } from "./folders.js";
import { crash, exit, log, signals } from "./signals.js";
import { environment, memory, timeZone, whoAmI } from "./surroundings.js";
import { big, cookies, redirect, slow, sse, status, stream } from "./answers.js";

/** Path, without what comes after a second slash, to what answers. */
const ROUTES = {
  "/health": (_request, response) => json(response, { status: "ok" }),
  "/echo": echo,
  "/env": environment,
  "/time-zone": timeZone,
  "/who": whoAmI,
  "/memory": memory,
  "/stream": stream,
  "/sse": sse,
  "/redirect": redirect,
  "/cookies": cookies,
  "/status": status,
  "/slow": slow,
  "/big": big,
  "/crash": crash,
  "/exit": exit,
  "/signals": signals,
  "/log": log,
  "/write": work,
  "/data": data,
};

/** Answers a request: `handler(request, response, { url, rest })`, `rest` being what follows the first part of the path. */
export function route(request, response) {
  const url = new URL(request.url, "http://observatory");
  const [, first, ...rest] = url.pathname.split("/");
  if (first === "") return json(response, { name: "observatory", ask: [...Object.keys(ROUTES), "/ws"] });
  const handler = Object.hasOwn(ROUTES, `/${first}`) ? ROUTES[`/${first}`] : null;
  if (handler === null) return json(response, { error: `nothing answers ${url.pathname}` }, 404);
  return handler(request, response, { url, rest: rest.join("/") });
}
