import type { PluginErrorCode } from "@helixstack/sdk";

/** What an order is refused with. Travels to the plugin as JSON and becomes its `PluginError` there. */
export class AdminError extends Error {
  override readonly name = "AdminError";
  readonly code: PluginErrorCode;
  readonly hint: string | undefined;

  constructor(code: PluginErrorCode, message: string, hint?: string) {
    super(message);
    this.code = code;
    this.hint = hint;
  }
}
