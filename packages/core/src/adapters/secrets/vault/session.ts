import vault from "node-vault";
import type { Logger } from "@helixstack/sdk";
import type { EngineError } from "../../../domain/errors.ts";
import { type VaultCredential, keepSecretId, readCredential } from "./credential.ts";
import { answerOf, denied, toVaultError, tooSlow } from "./failures.ts";

export interface VaultSessionOptions {
  readonly address: string;
  readonly namespace: string | null;
  /** `keys/vault.json`. */
  readonly credentialFile: string;
  readonly logger: Pick<Logger, "info" | "warn">;
  /** Milliseconds that one call may take, signing in included. */
  readonly timeoutMs?: number;
}

type Client = ReturnType<typeof vault>;

/** A signed-in connection that keeps itself signed in. */
export interface VaultSession {
  /** Runs requests. A token that is refused is replaced once, where the credential can. Rejects with `SECRET_STORE_DOWN` or `SECRET_STORE_DENIED`. */
  call<T>(what: string, use: (client: Client) => Promise<T>): Promise<T>;
  close(): void;
}

/** A deploy is to be refused within five seconds, whatever else it does. */
const TIMEOUT_MS = 2_500;
const RENEW_AT = 2 / 3;
const RETRY_MS = 1_000;
const LONGEST_TIMER_MS = 2_000_000_000;

/** Signs in at the first call, renews at two thirds of each lease, and signs in again when that fails. */
export function openVaultSession({
  address,
  namespace,
  credentialFile,
  logger,
  timeoutMs = TIMEOUT_MS,
}: VaultSessionOptions): VaultSession {
  const client = newClient({ address, namespace, timeoutMs });
  let signedIn: Promise<void> | null = null;
  let timer: NodeJS.Timeout | null = null;
  let isClosed = false;

  const later = (ms: number, act: () => Promise<void>): void => {
    if (timer) clearTimeout(timer);
    if (isClosed) return;
    timer = setTimeout(() => void act(), Math.min(ms, LONGEST_TIMER_MS));
    timer.unref();
  };
  const renewAfter = ({ lease_duration: lease, renewable }: Lease): void => {
    // A token without a lease never ends.
    if (lease > 0) later(lease * 1000 * RENEW_AT, () => renew(renewable, lease));
  };
  const renew = async (isRenewable: boolean, lease: number): Promise<void> => {
    try {
      if (!isRenewable) throw new Error("the token cannot be renewed");
      const { auth } = (await client.tokenRenewSelf()) as { auth: Lease };
      // At the end of its longest life a renewal gives less and less: a new token is due.
      if (auth.lease_duration < lease / 2) throw new Error("the token comes to its end");
      renewAfter(auth);
    } catch (thrown) {
      const { status, code } = answerOf(thrown);
      if (status === null && code !== "unknown") return later(RETRY_MS, () => renew(isRenewable, lease));
      logger.warn("the lease at Vault was not renewed; signing in again", { status });
      await signIn().catch((error: EngineError) => logger.warn(error.message, { code: error.code }));
    }
  };
  const signIn = (): Promise<void> => {
    signedIn = authenticate(client, { address, namespace, credentialFile, timeoutMs }).then(renewAfter);
    signedIn.catch(() => (signedIn = null));
    return signedIn;
  };
  const attempt = async <T>(use: (client: Client) => Promise<T>): Promise<T> => {
    await (signedIn ?? signIn());
    try {
      return await use(client);
    } catch (thrown) {
      if (answerOf(thrown).status !== 403) throw thrown;
      // Revoked, expired, or not allowed at all: a fresh token tells.
      await signIn();
      return use(client);
    }
  };
  return {
    call: (what, use) =>
      within(timeoutMs, { address, work: attempt(use) }).catch((thrown: unknown) =>
        Promise.reject(toVaultError(thrown, { address, what })),
      ),
    close() {
      isClosed = true;
      if (timer) clearTimeout(timer);
    },
  };
}

interface Lease {
  readonly lease_duration: number;
  readonly renewable: boolean;
}

interface Login extends Pick<VaultSessionOptions, "address" | "namespace" | "credentialFile"> {
  readonly timeoutMs: number;
}

/** Gives the client a token. */
async function authenticate(client: Client, login: Login): Promise<Lease> {
  const credential = await readCredential(login.credentialFile);
  if (credential.kind === "token") {
    client.token = credential.token;
    const { data } = (await client.tokenLookupSelf()) as { data: { ttl: number; renewable: boolean } };
    return { lease_duration: data.ttl, renewable: data.renewable };
  }
  const secretId = credential.kind === "approle" ? credential.secretId : await unwrap(credential, login);
  client.token = "";
  const { auth } = (await client.approleLogin({ role_id: credential.roleId, secret_id: secretId })) as {
    auth: Lease & { client_token: string };
  };
  client.token = auth.client_token;
  return auth;
}

/** Opens the wrapping, which can be done once: when it was opened before, somebody else has the secret id. */
async function unwrap({ wrappingToken }: Extract<VaultCredential, { kind: "wrapped" }>, login: Login): Promise<string> {
  const client = newClient(login);
  client.token = wrappingToken;
  try {
    const { data } = (await client.unwrap()) as { data: { secret_id: string } };
    await keepSecretId(login.credentialFile, data.secret_id);
    return data.secret_id;
  } catch (thrown) {
    const { status } = answerOf(thrown);
    if (status !== 400 && status !== 403) throw thrown;
    throw denied(
      `the wrapped secret id for Vault at ${login.address} was opened before, or is too old; if it was not you, somebody else has it`,
    );
  }
}

function newClient({
  address,
  namespace,
  timeoutMs,
}: {
  readonly address: string;
  readonly namespace: string | null;
  readonly timeoutMs: number;
}): Client {
  const client = vault({
    endpoint: address,
    ...(namespace !== null && { namespace }),
    requestOptions: { timeout: timeoutMs },
    // Its own would print values where somebody sets DEBUG.
    debug: () => undefined,
  } as Parameters<typeof vault>[0]);
  // It takes VAULT_TOKEN of its own accord; a credential comes from one place only.
  client.token = "";
  return client;
}

async function within<T>(ms: number, { address, work }: { readonly address: string; readonly work: Promise<T> }): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(tooSlow(address, ms)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    work.catch(() => undefined);
  }
}
