// SPDX-License-Identifier: Apache-2.0
// The only place that calls fetch, or XMLHttpRequest where progress is shown.

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
let tellNetwork: (reached: boolean) => void = () => {};
export function whenNetworkChanges(fn: typeof tellNetwork) {
  tellNetwork = fn;
}
let answeredAt = 0;
function onNetwork(reached: boolean) {
  answeredAt = reached ? Date.now() : 0;
  tellNetwork(reached);
}
const QUIET_MS = 20_000;
/** Whether the server is there, asked only when nothing else has lately: for
 * pages that ask nothing themselves.  now: asked in any case.  Touches no
 * session. */
export async function findServer(now = false) {
  if (!now && Date.now() - answeredAt < QUIET_MS) return;
  await fetch(`${base}/`, { method: "HEAD", cache: "no-store" }).then((reply) => onNetwork(!isUnreached(reply)), () => onNetwork(false));
}

let acceptLanguage = "ja";
export function setRequestLanguage(lang: string) {
  acceptLanguage = lang;
}

const asJson = (reply: Response): Promise<any> => reply.json().catch(() => null);

/** What a refused call throws; the frame learns of a session that ended. */
function refusal(status: number, body: unknown): ApiError {
  const error = new ApiError(status, body);
  if (status === 401 && ["session", "locked", "code_required"].includes(error.rule)) onSession(error.rule);
  if (status === 403 && ["terms", "tenant_suspended", "tenant_closed"].includes(error.rule)) onSession(error.rule);
  return error;
}

/** Words of a proxy whose server is down: it was not reached. */
const isUnreached = (reply: Response) => [502, 503, 504].includes(reply.status) && !/json/.test(reply.headers.get("Content-Type") ?? "");

/** leaving: sent to its end even when the page is left at once.  once: the key
 * under which it is done once, however often it is tried. */
async function call<T>(method: string, path: string, body?: unknown, version?: number, read = asJson, leaving = false, once = ""): Promise<T> {
  const headers: Record<string, string> = { "Accept-Language": acceptLanguage };
  const raw = body instanceof Blob;
  if (method !== "GET") headers["X-Req"] = "1";
  if (body !== undefined) headers["Content-Type"] = raw ? "application/octet-stream" : "application/json";
  if (version !== undefined) headers["If-Match"] = `"${version}"`;
  if (once) headers["Idempotency-Key"] = once;
  const reply = await fetch(`${base}/api/v1${path}`, {
    method,
    headers,
    keepalive: leaving,
    ...(body === undefined ? {} : { body: raw ? body : JSON.stringify(body) }),
  }).catch((error) => {
    onNetwork(false);
    throw error;
  });
  onNetwork(!isUnreached(reply));
  if (reply.status === 204) return undefined as T;
  if (reply.ok) return read(reply);
  const error = refusal(reply.status, await asJson(reply));
  // the same call once more: what was typed stays where it is meanwhile
  if (reply.status === 401 && error.rule === "fresh_sign_in" && (await onFresh())) return call<T>(method, path, body, version, read, leaving, once);
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
/** One that makes something: tried again under its key, it makes one. */
export const postOnce = <T = any>(path: string, body: unknown, once: string) => call<T>("POST", path, body, undefined, asJson, false, once);
export const put = <T = any>(path: string, body: unknown, version?: number) => call<T>("PUT", path, body, version);
export const patch = <T = any>(path: string, body: unknown, version?: number) => call<T>("PATCH", path, body, version);
/** A small change that the person may turn away from at once. */
export const patchLeaving = <T = any>(path: string, body: unknown) => call<T>("PATCH", path, body, undefined, asJson, true);
export const del = <T = any>(path: string, version?: number) => call<T>("DELETE", path, undefined, version);

/** A file going up.  told: bytes sent so far.  An abort throws an AbortError. */
export function upload<T>(path: string, file: Blob, told: (bytes: number) => void, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const stop = () => request.abort();
    if (signal.aborted) return reject(new DOMException("", "AbortError"));
    signal.addEventListener("abort", stop);
    request.open("POST", `${base}/api/v1${path}`);
    request.responseType = "json";
    for (const [name, value] of Object.entries({ "Accept-Language": acceptLanguage, "X-Req": "1", "Content-Type": "application/octet-stream" })) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => told(event.loaded);
    request.onload = () => {
      onNetwork(true);
      if (request.status < 300) resolve(request.response as T);
      else reject(refusal(request.status, request.response));
    };
    request.onerror = () => {
      onNetwork(false);
      reject(new TypeError("network"));
    };
    request.onabort = () => reject(new DOMException("", "AbortError"));
    request.onloadend = () => signal.removeEventListener("abort", stop);
    request.send(file);
  });
}

/** Query string without empty members. */
export function query(values: Record<string, string | number | undefined | null>) {
  const q = new URLSearchParams();
  for (const [k, v] of Object.entries(values)) if (v !== undefined && v !== null && v !== "") q.set(k, String(v));
  const text = q.toString();
  return text ? `?${text}` : "";
}
