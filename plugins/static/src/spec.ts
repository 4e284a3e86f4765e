import { type Static, Type } from "typebox";

/** The manifest's section `static:`. */
export const staticSpec = Type.Object(
  {
    dir: Type.Optional(
      Type.String({
        minLength: 1,
        description:
          "Folder to serve, relative to the source. Default: the first of dist, build, out, public with an index.html; `.` without a build.",
      }),
    ),
    fallback: Type.Optional(
      Type.Union([Type.String({ minLength: 1 }), Type.Null()], {
        description: "File that answers for paths without extension that are not there, relative to `dir`. Default: none, they are 404.",
      }),
    ),
    build: Type.Optional(
      Type.Union([Type.String({ minLength: 1 }), Type.Literal(false)], {
        description: "Script of package.json that builds the site; false for none. Default: `build`, where there is one.",
      }),
    ),
  },
  { additionalProperties: false },
);
export type StaticSpec = Static<typeof staticSpec>;
