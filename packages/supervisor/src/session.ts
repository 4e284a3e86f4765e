import { once } from "node:events";
import type { Socket } from "node:net";
import { asSupervisorError, SupervisorError } from "./errors.ts";
import type { Hub } from "./hub.ts";
import type { Keeper } from "./keeper.ts";
import { logPath } from "./log-files.ts";
import { readLog } from "./log-reader.ts";
import type { SupervisorPaths } from "./paths.ts";
import { processIdentity } from "./proc.ts";
import { type Answer, documentReader, type Request } from "./protocol.ts";
import type { UnitStatus } from "./unit.ts";

/** What a session needs of its process. */
export interface ServerWorld {
  readonly hub: Hub;
  readonly paths: SupervisorPaths;
  /** Ends the supervisor. */
  readonly exit: (why: string) => void;
}

/** One client. Units that it ensured as tied end with it. */
export class Session {
  readonly #world: ServerWorld;
  readonly #socket: Socket;
  readonly #tied = new Set<string>();

  constructor(world: ServerWorld, socket: Socket) {
    this.#world = world;
    this.#socket = socket;
    const read = documentReader();
    socket.setEncoding("utf8");
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.#endTied());
    socket.on("data", (chunk: string) => {
      try {
        for (const request of read(chunk)) void this.#answer(request as Request);
      } catch {
        socket.destroy();
      }
    });
  }

  async #answer(request: Request): Promise<void> {
    try {
      const result = await this.#perform(request);
      if (result !== STREAMED) this.#send({ id: request.id, ok: true, result: result ?? null });
    } catch (error) {
      const { code, message } = asSupervisorError(error);
      this.#send({ id: request.id, ok: false, error: { code, message } });
    }
  }

  async #perform(request: Request): Promise<unknown> {
    const { hub } = this.#world;
    switch (request.op) {
      case "ping":
        return processIdentity(process.pid);
      case "ensure":
        if (request.unit.tied) this.#tied.add(request.unit.name);
        await hub.ensure(request.unit, request);
        return status(hub.find(request.unit.name));
      case "stop":
        return hub.on(request.name, (keeper) => keeper.stop(request));
      case "remove":
        this.#tied.delete(request.name);
        return hub.remove(request.name, request);
      case "freeze":
        return hub.on(request.name, (keeper) => keeper.freeze(request));
      case "thaw":
        return hub.on(request.name, (keeper) => keeper.thaw(request));
      case "list":
        return hub.list(request);
      case "wait":
        return this.#wait(request.name);
      case "logs":
        return this.#stream(request);
      case "shutdown":
        return this.#shutDown(request);
      default:
        throw new SupervisorError("INTERNAL", `the supervisor knows no operation ${JSON.stringify((request as { op: unknown }).op)}`);
    }
  }

  /** Answers once the unit's process has ended and will not be started again. */
  #wait(name: string): Promise<Omit<UnitStatus, "usage">> {
    return new Promise((resolve, reject) => {
      const keeper = this.#world.hub.find(name);
      const look = (): void => {
        const current = this.#world.hub.find(name);
        if (current === null || current !== keeper)
          return finish(() => reject(new SupervisorError("NOT_FOUND", `there is no unit ${name}`)));
        const now = current.status();
        if (current.isEndKnown && (now.phase === "exited" || now.phase === "stopped")) finish(() => resolve(now));
      };
      const finish = (settle: () => void): void => {
        stop?.();
        this.#socket.off("close", stop ?? look);
        settle();
      };
      const stop = keeper?.onEnd(() => setImmediate(look));
      if (stop !== undefined) this.#socket.once("close", stop);
      look();
    });
  }

  async #stream(request: Request & { op: "logs" }): Promise<typeof STREAMED> {
    const keeper = this.#world.hub.find(request.name);
    if (keeper === null) throw new SupervisorError("NOT_FOUND", `there is no unit ${request.name}`);
    this.#send({ id: request.id, ok: true, result: null });
    const more = (): Promise<boolean> => this.#nextAppend(keeper);
    const path = logPath(this.#world.paths.logs, request.name);
    for await (const records of readLog(path, { after: request.after, tail: request.tail, ...(request.follow && { more }) })) {
      if (this.#socket.destroyed) return STREAMED;
      const isRoom = this.#socket.write(`${records.join("\n")}\n`);
      // Read no further than the client takes: a reader that stops costs one batch of memory.
      if (!isRoom) await Promise.race([once(this.#socket, "drain"), once(this.#socket, "close")]).catch(() => undefined);
    }
    this.#socket.end('{"end":true}\n');
    return STREAMED;
  }

  #nextAppend(keeper: Keeper): Promise<boolean> {
    return new Promise((resolve) => {
      const finish = (): void => {
        stop();
        this.#socket.off("close", finish);
        resolve(!this.#socket.destroyed && !keeper.log.isClosed);
      };
      const stop = keeper.log.onAppend(finish);
      this.#socket.once("close", finish);
      if (this.#socket.destroyed || keeper.log.isClosed) finish();
    });
  }

  async #shutDown(request: Request & { op: "shutdown" }): Promise<void> {
    if (request.stopUnits === "all") await this.#world.hub.halt(request);
    setImmediate(() => this.#world.exit("as asked"));
  }

  #endTied(): void {
    for (const name of this.#tied) void this.#world.hub.remove(name, { fence: null, graceMs: 0 }).catch(() => undefined);
  }

  #send(answer: Answer): void {
    if (!this.#socket.destroyed) this.#socket.write(`${JSON.stringify(answer)}\n`);
  }
}

const STREAMED = Symbol("streamed");

function status(keeper: Keeper | null): Omit<UnitStatus, "usage"> | null {
  return keeper?.status() ?? null;
}
