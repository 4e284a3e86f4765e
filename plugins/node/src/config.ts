import { Type } from "typebox";

/** What an operator sets once. */
export const configSchema = Type.Object(
  {
    userPerEnvironment: Type.Boolean({
      default: true,
      description:
        "Where HelixStack runs as root: the builds of each environment run as a user id of their own, with a home and caches of their own. False: as root, with root's settings of npm.",
    }),
  },
  { additionalProperties: false },
);
