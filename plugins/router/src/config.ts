import { type Static, Type } from "typebox";

const MINUTE = 60_000;

/** What bounds one request or one connection. Times in milliseconds, sizes in bytes. */
const limits = Type.Object(
  {
    bodyBytes: Type.Integer({
      default: 1024 ** 3,
      minimum: 0,
      maximum: 2 ** 50,
      description: "Largest request body; more is answered 413.",
    }),
    headerBytes: Type.Integer({
      default: 32_768,
      minimum: 1024,
      maximum: 1_048_576,
      description: "Request line and headers; more is 431.",
    }),
    headerCount: Type.Integer({ default: 256, minimum: 16, maximum: 10_000, description: "Header lines of a request; more is 431." }),
    headersTimeoutMs: Type.Integer({ default: 15_000, minimum: 100, description: "Time to send the headers; longer is 408." }),
    bodyIdleTimeoutMs: Type.Integer({ default: MINUTE, minimum: 100, description: "Silence within a request body; longer is 408." }),
    idleTimeoutMs: Type.Integer({ default: 75_000, minimum: 100, description: "Silence of a connection between two requests." }),
    connectTimeoutMs: Type.Integer({ default: 5000, minimum: 100, description: "Time to connect to a target; longer is 504." }),
    responseTimeoutMs: Type.Integer({ default: 2 * MINUTE, minimum: 100, description: "Time of a target to send headers; longer is 504." }),
    maxConnections: Type.Integer({ default: 10_000, minimum: 1, description: "Client connections at once; more are closed." }),
    pipelined: Type.Integer({ default: 64, minimum: 1, description: "Requests that wait on one connection for their turn." }),
    held: Type.Integer({ default: 1024, minimum: 0, description: "Requests that wait for a target, one service; more are 503." }),
    stopMs: Type.Integer({ default: 5000, minimum: 0, description: "Time for requests in flight when the router itself stops." }),
  },
  { default: {}, additionalProperties: false },
);

/** What an operator sets once. The data plane gets the same document in `HELIX_PLUGIN_CONFIG`. */
export const configSchema = Type.Object(
  {
    socket: Type.String({
      minLength: 1,
      description: "Path of the unix socket on which the data plane takes orders.",
      "x-local": "socket",
    }),
    stateDir: Type.String({ minLength: 1, description: "Folder in which the data plane keeps its tables.", "x-local": "state" }),
    httpPort: Type.Integer({
      default: 8080,
      minimum: 0,
      maximum: 65_535,
      description: "Port for host names; stepped up where it is taken.",
    }),
    host: Type.String({ default: "127.0.0.1", description: "Address of that port. Loopback unless the operator says otherwise." }),
    trustForwarded: Type.Boolean({ default: false, description: "Keep X-Forwarded-* of the client: there is a proxy before this one." }),
    limits,
  },
  { additionalProperties: false },
);

export type RouterConfig = Static<typeof configSchema>;
export type Limits = RouterConfig["limits"];
