/** A compiled module. Opaque; it can be sent to a thread. */
export interface WasmModule {
  readonly exports?: never;
}

/** The platform's own compiler, which the types of Node leave out. */
const { WebAssembly } = globalThis as unknown as { readonly WebAssembly: { compile(bytes: Uint8Array): Promise<WasmModule> } };

/** Rejects for bytes that are no module. */
export function compileWasm(bytes: Uint8Array): Promise<WasmModule> {
  return WebAssembly.compile(bytes);
}
