import { type Static, Type } from "typebox";

/** What an operator sets once. */
export const configSchema = Type.Object(
  {
    socket: Type.String({ default: "/var/run/docker.sock", description: "The Docker Engine's unix socket." }),
    volumes: Type.String({ description: "Folder in which the folders of volumes are made.", "x-local": "volumes" }),
    baseImage: Type.String({
      default: "",
      description: "Image that node-bundle and static-site run in: it needs `node`. Empty: one is made from this machine's own node.",
    }),
    subnetPrefix: Type.String({
      default: "10.213",
      pattern: "^\\d{1,3}\\.\\d{1,3}$",
      description: "First two numbers of the networks that are made; the third is chosen so that nothing overlaps.",
    }),
    pidsLimit: Type.Integer({ default: 1024, minimum: 16, description: "Processes and threads that one container may have." }),
    logMaxBytes: Type.Integer({ default: 10_485_760, minimum: 65_536, description: "Bytes of one log file; three are kept." }),
  },
  { additionalProperties: false },
);
export type Config = Static<typeof configSchema>;

/** What the engine keeps for us: the image that the revision runs. Everything else is read from the engine's own world. */
export const stateSchema = Type.Object({ image: Type.String() }, { additionalProperties: false });
export type State = Static<typeof stateSchema>;

/** The port that every container listens on: each has a network address of its own. */
export const CONTAINER_PORT = 8080;
