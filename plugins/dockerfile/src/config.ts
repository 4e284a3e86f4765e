import { type Static, Type } from "typebox";

/** What an operator sets once. */
export const configSchema = Type.Object(
  {
    socket: Type.String({ default: "/var/run/docker.sock", description: "The Docker Engine's unix socket." }),
    program: Type.String({
      default: "",
      description:
        "The docker client that builds with secrets; it needs BuildKit. Empty: the first on PATH and in the usual places that has it.",
    }),
  },
  { additionalProperties: false },
);
export type Config = Static<typeof configSchema>;

/** The manifest's section `dockerfile:`. */
export const dockerfileSpec = Type.Object(
  {
    path: Type.Optional(Type.String({ minLength: 1, description: "The Dockerfile, relative to the source. Default: Dockerfile." })),
    target: Type.Optional(Type.String({ minLength: 1, description: "Stage to build. Default: the last." })),
    args: Type.Optional(
      Type.Record(Type.String(), Type.String(), { description: "Values for ARG. They show in the image's history: no secrets." }),
    ),
  },
  { additionalProperties: false },
);
export type DockerfileSpec = Static<typeof dockerfileSpec>;
