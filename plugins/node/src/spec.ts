import { type Static, Type } from "typebox";

/** The manifest's section `node:`. */
export const nodeSpec = Type.Object(
  {
    build: Type.Optional(
      Type.Union([Type.String({ minLength: 1 }), Type.Literal(false)], {
        description: "Script of package.json that builds the application; false for none. Default: `build`, where there is one.",
      }),
    ),
  },
  { additionalProperties: false },
);
export type NodeSpec = Static<typeof nodeSpec>;
