import { type Static, Type } from "typebox";

/** What an operator sets once. */
export const configSchema = Type.Object(
  {
    home: Type.String({ description: "HELIX_HOME of the supervisor that keeps the processes.", "x-local": "home" }),
    volumes: Type.String({ description: "Folder in which the folders of volumes are made.", "x-local": "volumes" }),
    logMaxBytes: Type.Integer({
      default: 10_485_760,
      minimum: 65_536,
      description: "Bytes of one log file of one instance; three are kept.",
    }),
    userPerService: Type.Boolean({
      default: true,
      description: "Where HelixStack runs as root: each service runs as a user id of its own, which its folders and volumes belong to.",
    }),
    restartMaxMs: Type.Integer({
      default: 30_000,
      minimum: 100,
      description: "Longest wait before a process that keeps ending is started again, milliseconds.",
    }),
  },
  { additionalProperties: false },
);
export type Config = Static<typeof configSchema>;

/** Nothing is kept: everything is read from the supervisor. */
export const stateSchema = Type.Object({}, { additionalProperties: false });
export type State = Static<typeof stateSchema>;
