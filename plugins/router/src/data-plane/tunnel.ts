import type { Socket } from "node:net";
import type { Revision } from "./revision.ts";
import { FrameTracker, GOING_AWAY } from "./ws-frames.ts";

const CLOSE_GRACE_MS = 5000;

export interface TunnelInput {
  readonly client: Socket;
  readonly target: Socket;
  readonly revision: Revision;
  /** What was upgraded to; frames are known of `websocket` only. */
  readonly protocol: string;
}

/** Two sockets joined after an upgrade. In flight to its revision until both are closed. */
export class Tunnel {
  readonly #client: Socket;
  readonly #target: Socket;
  readonly #revision: Revision;
  readonly #frames: FrameTracker | null;
  #isTold = false;
  #isSilenced = false;
  #isOver = false;
  #grace: NodeJS.Timeout | null = null;

  constructor({ client, target, revision, protocol }: TunnelInput) {
    this.#client = client;
    this.#target = target;
    this.#revision = revision;
    this.#frames = protocol.toLowerCase() === "websocket" ? new FrameTracker() : null;
  }

  /** Joins the sockets. The revision was entered already. */
  open(): void {
    this.#revision.tunnels.add(this);
    this.#watch(this.#client, this.#target);
    this.#watch(this.#target, this.#client);
    this.#client.pipe(this.#target);
    this.#target.on("data", (chunk: Buffer) => this.#toClient(chunk));
    this.#target.on("end", () => this.#client.end());
    this.#client.on("drain", () => this.#target.resume());
    if (this.#revision.draining > 0) this.tellToGo();
  }

  /** Says to a WebSocket's client that the server is going away: it answers, the target sees that answer and closes. */
  tellToGo(): void {
    if (this.#frames === null || this.#isTold) return;
    this.#isTold = true;
    if (this.#frames.isBetweenFrames) this.#sayGoodbye();
  }

  cut(): void {
    this.#client.destroy();
    this.#target.destroy();
  }

  /** One side closed: the other gets what is still on its way to it, then closes too. */
  #watch(socket: Socket, other: Socket): void {
    socket.setTimeout(0);
    socket.setNoDelay(true);
    socket.on("error", ignore);
    socket.on("close", () => {
      other.destroySoon();
      if (other.closed) this.#over();
    });
  }

  #over(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#grace !== null) clearTimeout(this.#grace);
    this.#revision.tunnels.delete(this);
    this.#revision.leave();
  }

  #toClient(chunk: Buffer): void {
    if (this.#isSilenced) return;
    if (this.#frames === null) {
      this.#write(chunk);
      return;
    }
    const taken = this.#frames.advance(chunk, this.#isTold);
    if (taken > 0) this.#write(taken === chunk.length ? chunk : chunk.subarray(0, taken));
    if (this.#isTold && this.#frames.isBetweenFrames) this.#sayGoodbye();
  }

  #write(chunk: Buffer): void {
    if (!this.#client.write(chunk)) this.#target.pause();
  }

  /** After a close frame nothing more may follow: what the target still sends is read and dropped. */
  #sayGoodbye(): void {
    this.#isSilenced = true;
    this.#client.write(GOING_AWAY);
    this.#target.resume();
    this.#grace = setTimeout(() => this.cut(), CLOSE_GRACE_MS);
  }
}

function ignore(): void {}
