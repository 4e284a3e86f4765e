/** Where a revision answers. */
export type Endpoint =
  | { readonly kind: "http"; readonly host: string; readonly port: number }
  | { readonly kind: "provider-url"; readonly url: string }
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | { readonly kind: "none" };

/** The kind of an {@link Endpoint}: what a runtime `exposes` and a delivery `routes`. */
export type EndpointKind = Endpoint["kind"];
