import type { Server } from "node:http";
import type { NotListening } from "@helixstack/route-tables";
import { log } from "./log.ts";

const RETRY_MS = 1000;

/** One address and port on which a service should answer. */
export interface Wanted {
  readonly service: string;
  readonly address: string;
  readonly port: number;
}

interface Listener {
  readonly wanted: Wanted;
  server: Server | null;
  timer: NodeJS.Timeout | null;
  why: string;
}

/** The listening sockets. One that cannot be opened is tried again each second, for as long as it is wanted. */
export class Listeners {
  readonly #make: (port: number) => Server;
  readonly #byAddress = new Map<string, Listener>();
  /** Those that could not be opened yet. */
  readonly #closed = new Set<Listener>();

  constructor(make: (port: number) => Server) {
    this.#make = make;
  }

  has(address: string, port: number): boolean {
    return this.#byAddress.has(key(address, port));
  }

  /** Opens it, now or never: the code of the failure, or null. For ports that are still to be chosen. */
  async tryOpen(wanted: Wanted): Promise<string | null> {
    const opened = await listen(this.#make(wanted.port), wanted);
    if (typeof opened === "string") return opened;
    this.#byAddress.set(key(wanted.address, wanted.port), { wanted, server: opened, timer: null, why: "" });
    return null;
  }

  /** Opens it, now or as soon as it can be. Returns after the first try. */
  async ensure(wanted: Wanted): Promise<void> {
    if (this.has(wanted.address, wanted.port)) return;
    const listener: Listener = { wanted, server: null, timer: null, why: "" };
    this.#byAddress.set(key(wanted.address, wanted.port), listener);
    this.#closed.add(listener);
    await this.#open(listener);
    if (listener.server === null) log("warn", "cannot listen yet", { ...wanted, why: listener.why });
  }

  /** Closes these, but for those that are in `kept`. Connections that are open finish their requests. */
  close(wanted: readonly Wanted[], kept: readonly Wanted[] = []): void {
    const keep = new Set(kept.map(({ address, port }) => key(address, port)));
    for (const { address, port } of wanted) if (!keep.has(key(address, port))) this.#close(key(address, port));
  }

  missing(): readonly NotListening[] {
    return [...this.#closed].map(({ wanted, why }) => ({ ...wanted, why }));
  }

  closeAll(): void {
    for (const name of [...this.#byAddress.keys()]) this.#close(name);
  }

  #close(name: string): void {
    const listener = this.#byAddress.get(name);
    if (listener === undefined) return;
    this.#byAddress.delete(name);
    this.#closed.delete(listener);
    close(listener);
  }

  async #open(listener: Listener): Promise<void> {
    listener.timer = null;
    const opened = await listen(this.#make(listener.wanted.port), listener.wanted);
    const isWanted = this.#byAddress.get(key(listener.wanted.address, listener.wanted.port)) === listener;
    if (typeof opened !== "string") {
      if (!isWanted) return void opened.close();
      listener.server = opened;
      this.#closed.delete(listener);
      return;
    }
    listener.why = opened;
    if (isWanted) listener.timer = setTimeout(() => void this.#open(listener), RETRY_MS);
  }
}

/** Listens, or says why not. */
export async function listen(
  server: Server,
  { address, port }: { readonly address: string; readonly port: number },
): Promise<Server | string> {
  return new Promise((resolve) => {
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ host: address, port, backlog: 4096 }, () => {
      server.removeAllListeners("error");
      server.on("error", (error) => log("error", "listener failed", { address, port, why: error.message }));
      resolve(server);
    });
  });
}

function close(listener: Listener): void {
  if (listener.timer !== null) clearTimeout(listener.timer);
  listener.server?.close();
  listener.server?.closeIdleConnections();
}

function key(address: string, port: number): string {
  return `${address}|${port}`;
}
