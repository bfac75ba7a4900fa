// SPDX-License-Identifier: Apache-2.0
// The only place that calls fetch.

/** "" with one tenant or its own host name, "/t/acme" in path mode. */
export const base = location.pathname.match(/^\/t\/[a-z0-9-]+|^\/operator(?=\/|$)/)?.[0] ?? "";
/** The operator's console, no tenant. */
export const isConsole = base === "/operator";

export interface FieldError {
  field: string;
  rule: string;
  message: string;
}

export class ApiError extends Error {
  readonly status: number;
  readonly errors: FieldError[];
  readonly body: any;
  constructor(status: number, body: any) {
    super(body?.errors?.[0]?.message ?? body?.title ?? `HTTP ${status}`);
    this.status = status;
    this.body = body ?? {};
    this.errors = body?.errors ?? [];
  }
  get rule() {
    return this.errors[0]?.rule ?? "";
  }
  /** The message for one input, or undefined. */
  field(name: string) {
    return this.errors.find((e) => e.field === name)?.message;
  }
}

/** Called when the session is gone, locked, or wants the code. */
let onSession: (rule: string) => void = () => {};
export function whenSessionEnds(fn: typeof onSession) {
  onSession = fn;
}

/** Asks for the password before a sensitive step; false: the person gave up. */
let onFresh: () => Promise<boolean> = async () => false;
export function whenFreshNeeded(fn: typeof onFresh) {
  onFresh = fn;
}

/** Told after every request whether the server could be reached. */
let onNetwork: (reached: boolean) => void = () => {};
export function whenNetworkChanges(fn: typeof onNetwork) {
  onNetwork = fn;
}

let acceptLanguage = "ja";
export function setRequestLanguage(lang: string) {
  acceptLanguage = lang;
}

const asJson = (reply: Response): Promise<any> => reply.json().catch(() => null);

async function call<T>(method: string, path: string, body?: unknown, version?: number, read = asJson): Promise<T> {
  const headers: Record<string, string> = { "Accept-Language": acceptLanguage };
  const raw = body instanceof Blob;
  if (method !== "GET") headers["X-Req"] = "1";
  if (body !== undefined) headers["Content-Type"] = raw ? "application/octet-stream" : "application/json";
  if (version !== undefined) headers["If-Match"] = `"${version}"`;
  const reply = await fetch(`${base}/api/v1${path}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body: raw ? body : JSON.stringify(body) }),
  }).catch((error) => {
    onNetwork(false);
    throw error;
  });
  onNetwork(true);
  if (reply.status === 204) return undefined as T;
  if (reply.ok) return read(reply);
  const error = new ApiError(reply.status, await asJson(reply));
  if (reply.status === 401 && ["session", "locked", "code_required"].includes(error.rule)) onSession(error.rule);
  if (reply.status === 403 && ["terms", "tenant_suspended", "tenant_closed"].includes(error.rule)) onSession(error.rule);
  // the same call once more: what was typed stays where it is meanwhile
  if (reply.status === 401 && error.rule === "fresh_sign_in" && (await onFresh())) return call<T>(method, path, body, version, read);
  throw error;
}

/** A file of the product itself, such as a page of the manual. */
export async function getFile(path: string): Promise<string> {
  const reply = await fetch(path);
  if (!reply.ok) throw new ApiError(reply.status, null);
  return reply.text();
}
export const get = <T = any>(path: string) => call<T>("GET", path);
/** What a call answers as a file. */
export const getBlob = (path: string) => call<Blob>("GET", path, undefined, undefined, (reply) => reply.blob());
/** The same for a file that is made by a step, which may want a fresh sign-in. */
export const postBlob = (path: string, body: unknown) => call<Blob>("POST", path, body, undefined, (reply) => reply.blob());
export const post = <T = any>(path: string, body: unknown = {}, version?: number) => call<T>("POST", path, body, version);
export const put = <T = any>(path: string, body: unknown, version?: number) => call<T>("PUT", path, body, version);
export const patch = <T = any>(path: string, body: unknown, version?: number) => call<T>("PATCH", path, body, version);
export const del = <T = any>(path: string, version?: number) => call<T>("DELETE", path, undefined, version);

/** Query string without empty members. */
export function query(values: Record<string, string | number | undefined | null>) {
  const q = new URLSearchParams();
  for (const [k, v] of Object.entries(values)) if (v !== undefined && v !== null && v !== "") q.set(k, String(v));
  const text = q.toString();
  return text ? `?${text}` : "";
}
