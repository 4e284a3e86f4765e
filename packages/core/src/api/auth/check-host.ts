import { EngineError } from "../../domain/errors.ts";
import type { ApiSettings } from "../deps.ts";
import type { Api } from "../types.ts";

const LOOPBACK = /^(localhost|127(\.[0-9]{1,3}){3}|\[::1\])$/;

/**
 * Refuses requests that were sent to another name than ours. A web page can have its own name point at the loopback and then talk to whatever listens
 * there; it cannot make the browser send another `Host`.
 */
export function checkHost(api: Api, { allowedHosts }: Pick<ApiSettings, "allowedHosts">): void {
  const allowed = new Set(allowedHosts);
  api.addHook("onRequest", async (request) => {
    const host = (request.headers.host ?? "").toLowerCase().replace(/:[0-9]+$/, "");
    if (LOOPBACK.test(host) || allowed.has(host)) return;
    throw new EngineError("USAGE", `the API does not answer under the name ${JSON.stringify(host.slice(0, 80))}`, {
      hint: "Use 127.0.0.1, or list the name in HELIX_ALLOWED_HOSTS on the server.",
    });
  });
}
