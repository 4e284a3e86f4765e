import { type ClientRequest, type IncomingMessage, ServerResponse, request } from "node:http";
import type { Socket } from "node:net";
import type { OwnAnswer } from "./answers.ts";
import { type Connection, endConnection } from "./connection.ts";
import type { Held } from "./hold-queue.ts";
import type { Incoming } from "./incoming.ts";
import type { LiveTarget } from "./live-route.ts";
import { Placement, isTarget } from "./placement.ts";
import { noTarget, targetFailed } from "./refusals.ts";
import { addProvenance } from "./request-headers.ts";
import { requestId } from "./request-id.ts";
import { responseHead } from "./response-head.ts";
import { targetError } from "./target-error.ts";
import { Tunnel } from "./tunnel.ts";

export interface UpgradeAttemptInput {
  readonly req: IncomingMessage;
  readonly socket: Socket;
  readonly head: Buffer;
  readonly port: number;
  readonly incoming: Incoming;
  readonly protocol: string;
}

/** A request for a tunnel, until the target agrees or refuses. */
export class UpgradeAttempt implements Held {
  readonly #connection: Connection;
  readonly #input: UpgradeAttemptInput;
  readonly #id: string;
  readonly #headers: string[];
  readonly #placement: Placement;
  #target: LiveTarget | null = null;
  #request: ClientRequest | null = null;

  constructor(connection: Connection, input: UpgradeAttemptInput) {
    const { incoming, req, protocol } = input;
    this.#connection = connection;
    this.#input = input;
    this.#placement = new Placement(connection.plane, { port: input.port, host: incoming.host });
    this.#id = requestId(incoming.head.requestId);
    const provenance = { host: incoming.authority, remote: connection.remote, id: this.#id, httpVersion: req.httpVersion };
    this.#headers = [...addProvenance(incoming.head, provenance), "Connection", "Upgrade", "Upgrade", protocol];
  }

  begin(): void {
    this.#input.socket.once("close", this.#onClientGone);
    this.#place();
  }

  again(): void {
    this.#place();
  }

  lapse(): void {
    this.#refuse(noTarget(this.#placement.service));
  }

  #place(): void {
    const found = this.#placement.find(this);
    if (found === null) return;
    if (isTarget(found)) this.#connect(found);
    else this.#refuse(found);
  }

  #connect(target: LiveTarget): void {
    this.#target = target;
    target.revision.enter();
    const { host, port } = target.upstream;
    const sent = request({
      host,
      port,
      method: "GET",
      path: this.#input.incoming.path,
      headers: this.#headers,
      agent: false,
      setHost: false,
      timeout: this.#connection.plane.settings.limits.responseTimeoutMs,
    });
    this.#request = sent;
    sent.on("upgrade", (answer: IncomingMessage, socket: Socket, head: Buffer) => this.#join({ target, answer, socket, head }));
    sent.on("response", (answer) => this.#passOn(answer));
    sent.on("timeout", () => sent.destroy(Object.assign(new Error("no answer in time"), { code: "ETIMEDOUT" })));
    sent.on("error", (error) => this.#failed(target, error));
    sent.end();
  }

  #failed(target: LiveTarget, error: Error): void {
    if (this.#target !== target) return;
    this.#leave();
    const isNeverSent = "code" in error && error.code === "ECONNREFUSED";
    if (isNeverSent && this.#placement.hasOther(target.upstream)) {
      this.#place();
      return;
    }
    target.revision.failures += 1;
    this.#refuse(targetFailed(this.#placement.service, targetError(error)));
  }

  #join({ target, answer, socket, head }: { target: LiveTarget; answer: IncomingMessage; socket: Socket; head: Buffer }): void {
    const { socket: client, protocol } = this.#input;
    if (answer.headers.upgrade?.toLowerCase() !== protocol.toLowerCase()) {
      socket.destroy();
      this.#failed(target, Object.assign(new Error("another protocol"), { code: "WRONG_UPGRADE" }));
      return;
    }
    client.off("close", this.#onClientGone);
    const headers = [
      ...responseHead(answer.rawHeaders, 101).headers,
      "X-Request-Id",
      this.#id,
      "Connection",
      "Upgrade",
      "Upgrade",
      protocol,
    ];
    client.write(headLines(`HTTP/1.1 101 ${answer.statusMessage ?? ""}`, headers), "latin1");
    if (head.length > 0) socket.unshift(head);
    if (this.#input.head.length > 0) client.unshift(this.#input.head);
    this.#target = null;
    new Tunnel({ client, target: socket, revision: target.revision, protocol }).open();
  }

  /** The target answers as to any request: so does the router, and closes. */
  #passOn(answer: IncomingMessage): void {
    const { socket, req } = this.#input;
    const res = new ServerResponse(req);
    res.shouldKeepAlive = false;
    res.assignSocket(socket);
    const { headers } = responseHead(answer.rawHeaders, answer.statusCode ?? 502);
    res.writeHead(answer.statusCode ?? 502, answer.statusMessage ?? "", [...headers, "X-Request-Id", this.#id]);
    answer.on("aborted", () => socket.destroy());
    answer.pipe(res);
    res.once("finish", () => socket.destroySoon());
  }

  #refuse(answer: OwnAnswer): void {
    this.#input.socket.off("close", this.#onClientGone);
    endConnection(this.#input.socket, answer);
  }

  #leave(): void {
    this.#target?.revision.leave();
    this.#target = null;
  }

  readonly #onClientGone = (): void => {
    this.#placement.release(this);
    this.#leave();
    this.#request?.destroy();
  };
}

function headLines(first: string, headers: readonly string[]): string {
  const lines = [first];
  for (let i = 0; i < headers.length; i += 2) lines.push(`${headers[i]}: ${headers[i + 1]}`);
  return `${lines.join("\r\n")}\r\n\r\n`;
}
