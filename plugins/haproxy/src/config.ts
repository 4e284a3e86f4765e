import { type Static, Type } from "typebox";

const MINUTE = 60_000;

/** What bounds one request or one connection. Times in milliseconds, sizes in bytes. */
const limits = Type.Object(
  {
    bodyBytes: Type.Integer({
      default: 1024 ** 3,
      minimum: 0,
      maximum: 2 ** 50,
      description: "Largest announced request body; more is 413.",
    }),
    headerBytes: Type.Integer({
      default: 15_360,
      minimum: 1024,
      maximum: 1_048_576,
      description: "Request line and headers; more is 400.",
    }),
    headerCount: Type.Integer({ default: 256, minimum: 16, maximum: 10_000, description: "Header lines of a request; more is 400." }),
    headersTimeoutMs: Type.Integer({ default: 15_000, minimum: 100, description: "Time to send the headers; longer is 408." }),
    bodyIdleTimeoutMs: Type.Integer({ default: MINUTE, minimum: 100, description: "Silence within a request body; longer is 408." }),
    idleTimeoutMs: Type.Integer({ default: 75_000, minimum: 100, description: "Silence of a connection between two requests." }),
    connectTimeoutMs: Type.Integer({ default: 5000, minimum: 100, description: "Time to connect to a target; longer is 502." }),
    responseTimeoutMs: Type.Integer({ default: 2 * MINUTE, minimum: 100, description: "Time of a target to send headers; longer is 504." }),
    maxConnections: Type.Integer({ default: 10_000, minimum: 1, description: "Client connections at once; more wait." }),
    held: Type.Integer({ default: 1024, minimum: 0, description: "Requests that wait for a target, one service; more are 503." }),
  },
  { default: {}, additionalProperties: false },
);

/** What an operator sets once. */
export const configSchema = Type.Object(
  {
    home: Type.String({ minLength: 1, description: "The home whose supervisor runs HAProxy.", "x-local": "home" }),
    socket: Type.String({ minLength: 1, maxLength: 80, description: "Path of HAProxy's runtime socket.", "x-local": "socket" }),
    stateDir: Type.String({
      minLength: 1,
      description: "Folder of the tables, the journal and HAProxy's configuration.",
      "x-local": "state",
    }),
    program: Type.String({ default: "/usr/sbin/haproxy", pattern: "^/", description: "HAProxy 2.6 or newer, with Lua." }),
    httpPort: Type.Integer({
      default: 8180,
      minimum: 0,
      maximum: 65_535,
      description: "Port for host names; stepped up where it is taken.",
    }),
    host: Type.String({ default: "127.0.0.1", description: "Address of that port. Loopback unless the operator says otherwise." }),
    ports: Type.Object(
      {
        first: Type.Integer({ default: 30_000, minimum: 1, maximum: 65_535 }),
        count: Type.Integer({ default: 1000, minimum: 1, maximum: 50_000 }),
      },
      { default: {}, additionalProperties: false, description: "The ports of services. HAProxy opens all of them when it starts." },
    ),
    addresses: Type.Array(Type.String({ pattern: "^[0-9a-f:.]+$" }), {
      default: [],
      description: "Addresses besides loopback on which the ports of services answer: the gateways of container networks.",
    }),
    trustForwarded: Type.Boolean({ default: false, description: "Keep X-Forwarded-* of the client: there is a proxy before this one." }),
    limits,
  },
  { additionalProperties: false },
);

export type HaproxyConfig = Static<typeof configSchema>;
