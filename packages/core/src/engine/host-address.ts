import { readPlugin } from "./call.ts";
import { identityOf } from "./place.ts";
import type { Run } from "./run.ts";

export const LOOPBACK = "127.0.0.1";

/** Asked once a run: it follows from the machine, not from the deployment. */
const known = new WeakMap<Run, Map<string, Promise<string>>>();

/** Under which address revisions of a runtime reach the router of this machine. */
export function hostAddress(run: Run, runtime: string): Promise<string> {
  const ofRun = known.get(run) ?? new Map<string, Promise<string>>();
  known.set(run, ofRun);
  const asked = ofRun.get(runtime) ?? ask(run, runtime);
  ofRun.set(runtime, asked);
  return asked;
}

/** The addresses on which a service's port must answer for those that need it, besides loopback: for what serves now and for what comes. */
export async function bindAddresses(run: Run, service: string): Promise<readonly string[]> {
  const manifests = [run.live?.manifest, run.manifest].filter((manifest) => manifest != null);
  const dependants = manifests.flatMap(({ services }) => Object.values(services)).filter(({ needs }) => needs.includes(service));
  const runtimes = new Set(dependants.map(({ runtime }) => runtime));
  const addresses = await Promise.all([...runtimes].map((runtime) => hostAddress(run, runtime)));
  return [...new Set(addresses)].filter((address) => address !== LOOPBACK);
}

async function ask({ deps, place }: Run, runtime: string): Promise<string> {
  if (!deps.plugins.supports(runtime, "runtime.hostAddress")) return LOOPBACK;
  const identity = identityOf(place, {});
  const { address } = await readPlugin<{ address: string }>(deps, place, {
    plane: "runtime",
    plugin: runtime,
    verb: "hostAddress",
    identity,
  });
  return address;
}
