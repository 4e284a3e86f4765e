import { Client } from "undici";
import type { Limits } from "../config.ts";

/** One for all: making an error, with its stack, costs more than closing the connection. */
export const ENDED = new Error("ended by the router");

/** One connection to a target. undici opens it with the first request, and again when it was closed. */
export interface Link {
  readonly client: Client;
  readonly upstream: Upstream;
  /** Requests answered on the connection as it is now. 0: it is fresh. */
  served: number;
}

/**
 * The connections to one endpoint. A stack: the one used last is used next, so that what is not needed times out. Made by hand
 * from undici's clients, not a pool, since only so it is known whether a request went over a used connection, which decides
 * whether it may be sent again.
 */
export class Upstream {
  readonly host: string;
  readonly port: number;
  readonly #limits: Limits;
  readonly #idle: Link[] = [];
  #retired = false;

  constructor(endpoint: { readonly host: string; readonly port: number }, limits: Limits) {
    this.host = endpoint.host;
    this.port = endpoint.port;
    this.#limits = limits;
  }

  take(): Link {
    return this.#idle.pop() ?? this.fresh();
  }

  /** A link that no request has used. */
  fresh(): Link {
    const { connectTimeoutMs, responseTimeoutMs } = this.#limits;
    const host = this.host.includes(":") ? `[${this.host}]` : this.host;
    const client = new Client(`http://${host}:${this.port}`, {
      pipelining: 1,
      connectTimeout: connectTimeoutMs,
      headersTimeout: responseTimeoutMs,
      // A stream may be silent for hours. What ends it is its client, its target or a drain.
      bodyTimeout: 0,
      maxHeaderSize: 65_536,
      keepAliveTimeout: 4000,
      keepAliveTimeoutThreshold: 1000,
      allowH2: false,
    });
    const link: Link = { client, upstream: this, served: 0 };
    client.on("connect", () => {
      link.served = 0;
    });
    client.on("disconnect", () => this.#forget(link));
    return link;
  }

  /** Gives a link back after a whole answer. */
  give(link: Link): void {
    link.served += 1;
    if (this.#retired || link.client.destroyed) this.drop(link);
    else this.#idle.push(link);
  }

  /** Ends a link. */
  drop(link: Link): void {
    if (!link.client.destroyed) link.client.destroy(ENDED, ignore);
  }

  /** The endpoint has left the table: idle connections end now, the others when they are given back. */
  retire(): void {
    this.#retired = true;
    for (const link of this.#idle.splice(0)) this.drop(link);
  }

  #forget(link: Link): void {
    const at = this.#idle.indexOf(link);
    if (at === -1) return;
    this.#idle.splice(at, 1);
    this.drop(link);
  }
}

function ignore(): void {}
