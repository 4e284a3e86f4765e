import { PLUGIN_ERRORS } from "@helixstack/sdk";
import { Type } from "typebox";
import { ENGINE_ERRORS, EngineError, type ErrorCode, errorRow } from "../../domain/errors.ts";
import { didYouMean } from "../../domain/suggest.ts";
import { answers } from "../schemas/answers.ts";
import { closed } from "../schemas/common.ts";
import type { Api } from "../types.ts";

const CODES = [...Object.keys(ENGINE_ERRORS), ...Object.keys(PLUGIN_ERRORS)];
const Row = closed({
  code: Type.String(),
  sentence: Type.String(),
  hint: Type.String(),
  retryable: Type.Boolean(),
  exit: Type.Integer({ description: "Exit code of the CLI." }),
  status: Type.Integer({ description: "HTTP status of the API." }),
});

export async function errorRoutes(api: Api): Promise<void> {
  api.get(
    "/errors/:code",
    {
      schema: {
        operationId: "explainError",
        summary: "What an error code means",
        tags: ["errors"],
        params: closed({ code: Type.String({ maxLength: 100 }) }),
        response: answers(200, Row),
      },
    },
    async ({ params: { code } }) => {
      if (!CODES.includes(code)) throw new EngineError("ERROR_NOT_FOUND", `there is no error code ${code}${didYouMean(code, CODES)}`);
      const { sentence, hint, retryable, exit, status } = errorRow(code as ErrorCode);
      return { code, sentence, hint, retryable, exit, status };
    },
  );
}
