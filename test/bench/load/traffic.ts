import { Agent, type IncomingMessage, type RequestOptions, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { WebSocket } from "ws";

/** Where the load goes. */
export interface Destination {
  readonly host: string;
  readonly port: number;
  /** The Host header. */
  readonly name?: string;
}

/** What the load saw. Nothing is sent twice: each failure is one that a client would see. */
export interface Seen {
  readonly requests: number;
  /** By kind of client, then why. */
  readonly failures: readonly string[];
  /** Answers of a release that was not to answer any more when the request began. */
  readonly stale: number;
  readonly streams: number;
  /** Streams that were told to go, with a close frame or a complete end. */
  readonly told: number;
  /** Streams that broke. */
  readonly cut: number;
}

export interface Traffic {
  /** A release is on its way: from now on it may answer. */
  readonly coming: (mark: string) => void;
  /** The switch was reported: from now on only it may answer. */
  readonly reported: () => void;
  readonly stop: () => Promise<Seen>;
}

const BODY = Buffer.alloc(65_536, 7);
const PIECES = 10;
const PIECE = Buffer.alloc(100_000, 7);
const PATIENCE_MS = 10_000;
const PAUSE_MS = 5;

/** Keep-alive and fresh clients, posts of 64 KB, requests of 1.5 s, uploads of a second, WebSockets and server-sent events, all at once until `stop`. */
export function startTraffic(destination: Destination, mark: string): Traffic {
  const marks = [mark];
  const load = new Load(destination, marks);
  const agent = () => new Agent({ keepAlive: true, maxSockets: 1 });
  const clients = [
    ...Array.from({ length: 6 }, () => load.repeat("keep-alive", { agent: agent() }, PAUSE_MS)),
    ...Array.from({ length: 4 }, () => load.repeat("fresh", { agent: false }, PAUSE_MS)),
    ...Array.from({ length: 2 }, () => load.repeat("post", { agent: agent(), method: "POST", body: BODY }, PAUSE_MS)),
    ...Array.from({ length: 6 }, () => load.repeat("slow", { agent: agent(), path: "/slow" }, PAUSE_MS)),
    ...Array.from({ length: 2 }, () => load.repeat("upload", { agent: agent(), method: "POST", pieces: PIECES }, PAUSE_MS)),
    ...Array.from({ length: 2 }, () => load.streams("events", () => load.events())),
    ...Array.from({ length: 2 }, () => load.streams("websocket", () => load.webSocket())),
  ];
  return {
    coming: (next) => void marks.push(next),
    reported: () => void (load.from = marks.length - 1),
    stop: async () => {
      load.isOver = true;
      await Promise.all(clients);
      return load.seen;
    },
  };
}

interface Sent extends RequestOptions {
  readonly body?: Buffer;
  /** The body comes in so many pieces, over a second. */
  readonly pieces?: number;
}

class Load {
  readonly #to: Destination;
  readonly #marks: readonly string[];
  /** The marks from here on may answer what begins now. */
  from = 0;
  isOver = false;
  readonly seen = { requests: 0, failures: [] as string[], stale: 0, streams: 0, told: 0, cut: 0 };

  constructor(to: Destination, marks: readonly string[]) {
    this.#to = to;
    this.#marks = marks;
  }

  async repeat(kind: string, sent: Sent, pauseMs: number): Promise<void> {
    while (!this.isOver) {
      const { from } = this;
      this.seen.requests += 1;
      const why = await this.#once(sent, from).catch((error: unknown) => String(error));
      if (why !== null) this.seen.failures.push(`${kind}: ${why}`);
      await sleep(pauseMs);
    }
    if (sent.agent instanceof Agent) sent.agent.destroy();
  }

  /** Opens a stream again and again; `open` tells whether it was told to go, or ended by us (null). */
  async streams(kind: string, open: () => Promise<"told" | "cut" | null>): Promise<void> {
    while (!this.isOver) {
      this.seen.streams += 1;
      const end = await open().catch((error: unknown) => void this.seen.failures.push(`${kind}: ${String(error)}`));
      if (end === "told" || end === "cut") this.seen[end] += 1;
      await sleep(PAUSE_MS);
    }
  }

  async events(): Promise<"told" | "cut" | null> {
    const answer = await this.#send({ agent: false, path: "/events" });
    if (answer.statusCode !== 200) throw new Error(`status ${answer.statusCode}`);
    return new Promise((resolve) => {
      const watch = setInterval(() => this.isOver && finish(null), 20);
      const finish = (end: "told" | "cut" | null): void => {
        clearInterval(watch);
        answer.destroy();
        resolve(end);
      };
      answer.on("end", () => finish(answer.complete ? "told" : "cut"));
      answer.on("error", () => finish("cut"));
      answer.resume();
    });
  }

  webSocket(): Promise<"told" | "cut" | null> {
    const { host, port, name } = this.#to;
    const socket = new WebSocket(`ws://${host}:${port}/`, { ...(name && { headers: { host: name } }), perMessageDeflate: false });
    return new Promise((resolve, reject) => {
      let isOpen = false;
      const talk = setInterval(() => (this.isOver ? finish(null) : isOpen && socket.send("hello")), 50);
      const finish = (end: "told" | "cut" | null): void => {
        clearInterval(talk);
        if (socket.readyState !== WebSocket.CLOSED) socket.terminate();
        resolve(end);
      };
      socket.on("open", () => (isOpen = true));
      socket.on("close", (code) => finish(code === 1006 ? "cut" : "told"));
      socket.on("error", (error) => {
        clearInterval(talk);
        if (isOpen) finish("cut");
        else reject(error);
      });
    });
  }

  /** Why it failed; null when it did not. */
  async #once(sent: Sent, from: number): Promise<string | null> {
    const answer = await this.#send(sent);
    let text = "";
    for await (const chunk of answer.setEncoding("latin1")) text += chunk;
    if (answer.statusCode !== 200) return `status ${answer.statusCode} ${text.slice(0, 80)}`;
    const size = sent.body?.length ?? (sent.pieces ?? 0) * PIECE.length;
    if (sent.path === undefined && text !== String(size)) return `${text} bytes of ${size} arrived`;
    const mark = String(answer.headers["x-mark"]);
    if (this.#marks.lastIndexOf(mark) < from) this.seen.stale += 1;
    return null;
  }

  #send({ body, pieces = 0, ...options }: Sent): Promise<IncomingMessage> {
    const { host, port, name } = this.#to;
    return new Promise((resolve, reject) => {
      const sent = request({ host, port, ...options, ...(name && { headers: { host: name } }) }, resolve);
      sent.on("error", reject);
      // What waits for ever would not be counted.
      sent.setTimeout(PATIENCE_MS, () => sent.destroy(new Error(`no answer in ${PATIENCE_MS} ms`)));
      if (pieces === 0) return void sent.end(body);
      let left = pieces;
      const timer = setInterval(() => {
        sent.write(PIECE);
        left -= 1;
        if (left > 0) return;
        clearInterval(timer);
        sent.end();
      }, 1000 / pieces);
      sent.on("close", () => clearInterval(timer));
    });
  }
}
