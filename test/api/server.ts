// SPDX-License-Identifier: Apache-2.0
// Starts the real binary in a directory of its own and speaks its API as a
// browser would: cookies kept, X-Req set, Origin its own.
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, renameSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

export const binary = process.env.YAGURA ?? "build/yagura";

export interface Account {
  email: string;
  name: string;
  role: string;
  password: string;
}
export interface Ready {
  url: string;
  tenant: string;
  accounts: Account[];
  operator: Account;
  console: string;
  mail: string;
  mail_api: string;
}
export interface Demo {
  ready: Ready;
  dir: string;
  process: ChildProcess;
  /** What the server said to whoever runs it, from its start. */
  said(): string;
  stop(signal?: NodeJS.Signals): Promise<void>;
}

// tests move the clock: it is right, unless they say otherwise
process.env.YAGURA_TEST_CLOCK_SYNCED ??= "1";

const run = promisify(execFile);
const quiet = () => ({ ...process.env, ASAN_OPTIONS: "detect_leaks=0" });
const HALF_HOUR_MS = 1_800_000;
const prepared = join(import.meta.dirname, "../../build/prepared");
/** Settings that leave no trace in what a demo makes. */
const harmless = ["YAGURA", "YAGURA_NEXT", "YAGURA_RELEASE", "YAGURA_ASAN", "YAGURA_TEST_CLOCK_SYNCED"];

/** The company as `program` makes it, copied: making it takes ten times as long.
 * It is made once for each build and half an hour, as its days are counted from
 * today, and by nobody who has moved the clock or set anything else.  All copies
 * have the same keys and passwords; a mail still to be sent leaves each. */
async function copyPrepared(program: string, dir: string) {
  const { mtimeMs, size } = statSync(program);
  const now = Math.floor(Date.now() / HALF_HOUR_MS);
  const build = createHash("sha256").update(`${realpathSync(program)} ${mtimeMs} ${size}`).digest("hex").slice(0, 16);
  const ready = join(prepared, `${now}-${build}`);
  if (!existsSync(ready)) {
    mkdirSync(prepared, { recursive: true });
    for (const name of readdirSync(prepared)) // nobody copies these any more
      if (parseInt(name) < now - 4) rmSync(join(prepared, name), { recursive: true, force: true });
    const place = mkdtempSync(`${ready}.`);
    await run(program, ["demo", "--make", "--port", "0", "--data", join(place, "data")], { env: quiet() });
    try {
      renameSync(place, ready);
    } catch {
      rmSync(place, { recursive: true }); // another test was first
    }
  }
  mkdirSync(dir, { recursive: true });
  await run("cp", ["-a", "--reflink=auto", join(ready, "data"), join(ready, "data.key"), dir]);
}

/** A demo server; give `dir` to open the same data again. */
export async function startDemo(
  dir = mkdtempSync(join(tmpdir(), "yagura-")),
  program = binary,
  words: string[] = [],
): Promise<Demo> {
  const isPlain = Object.keys(process.env).every((key) => !key.startsWith("YAGURA") || harmless.includes(key));
  if (isPlain && !existsSync(join(dir, "data"))) await copyPrepared(program, dir);
  const child = spawn(program, ["demo", "--json", "--port", "0", "--data", join(dir, "data"), ...words], {
    stdio: ["ignore", "pipe", "pipe"],
    env: quiet(),
  });
  let errors = "";
  child.stderr!.on("data", (data) => (errors += data));
  const line = await new Promise<string>((resolve, reject) => {
    let text = "";
    child.stdout!.on("data", (data) => {
      text += data;
      if (text.includes("\n")) resolve(text.slice(0, text.indexOf("\n")));
    });
    child.on("exit", (code) => reject(new Error(`demo ended with ${code}: ${errors}`)));
  });
  return {
    ready: JSON.parse(line),
    dir,
    process: child,
    said: () => errors,
    stop: (signal = "SIGTERM") =>
      new Promise((resolve) => {
        if (child.exitCode !== null || child.signalCode !== null) return resolve();
        child.on("exit", () => resolve());
        child.kill(signal);
      }),
  };
}

export function removeDir(demo: Demo) {
  rmSync(demo.dir, { recursive: true, force: true });
}

export interface Answer {
  status: number;
  headers: Headers;
  body: any;
}

/** One browser: its cookies and its language. */
export class Client {
  cookies = new Map<string, string>();
  readonly base: string;
  lang = "ja";
  constructor(base: string) {
    this.base = base;
  }

  async request(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const raw = body instanceof Uint8Array;
    // what the server closed while a command blocked this process is seen now
    await new Promise((resolve) => setImmediate(resolve));
    const reply = await fetch(`${this.base}/api/v1${path}`, {
      method,
      redirect: "manual",
      headers: {
        "Accept-Language": this.lang,
        Cookie: [...this.cookies].map(([k, v]) => `${k}=${v}`).join("; "),
        ...(method === "GET" ? {} : { "X-Req": "1" }),
        ...(body === undefined
          ? {}
          : { "Content-Type": raw ? "application/octet-stream" : "application/json" }),
        ...headers,
      },
      body: body === undefined ? undefined : raw ? (body as BodyInit) : JSON.stringify(body),
    });
    for (const line of reply.headers.getSetCookie()) {
      const [pair] = line.split(";");
      const [name, value] = pair!.split("=");
      if (value) this.cookies.set(name!, value);
      else this.cookies.delete(name!);
    }
    const text = await reply.text();
    const json = /[/+]json/.test(reply.headers.get("content-type") ?? "");
    return { status: reply.status, headers: reply.headers, body: json && text ? JSON.parse(text) : text };
  }

  get = (path: string, headers?: Record<string, string>) => this.request("GET", path, undefined, headers);
  post = (path: string, body: unknown, headers?: Record<string, string>) =>
    this.request("POST", path, body, headers);
  patch = (path: string, body: unknown, version: number) =>
    this.request("PATCH", path, body, { "If-Match": `"${version}"` });
  delete = (path: string, version?: number) =>
    this.request("DELETE", path, undefined, version === undefined ? {} : { "If-Match": `"${version}"` });

  /** The newest captured mail to this address that holds `pattern`. */
  async waitForMail(to: string, pattern: RegExp, after = 0): Promise<RegExpMatchArray> {
    for (;;) {
      const mails = (await this.get("/demo/mail")).body.items;
      for (const mail of mails) {
        const match = mail.to === to && Date.parse(mail.at) >= after && mail.text.match(pattern);
        if (match) return match;
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Password, then the mailed code. */
  async signIn(email: string, password: string): Promise<Answer> {
    const seen = new Set(
      (await this.get("/demo/mail")).body.items.map((mail: any) => mail.text as string),
    );
    const first = await this.post("/sign-in", { email, password });
    if (first.status !== 200) return first;
    for (;;) {
      const mails = (await this.get("/demo/mail")).body.items;
      const mail = mails.find((m: any) => m.to === email && !seen.has(m.text) && /\n {4}\d{8}\n/.test(m.text));
      if (mail) {
        // the mail of an earlier attempt may have been on its way still
        seen.add(mail.text);
        const reply = await this.post("/sign-in/code", { code: mail.text.match(/\n {4}(\d{8})\n/)[1] });
        if (reply.status !== 401 || rule(reply) !== "code") return reply;
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

/** Signed in as the n-th account of the sample company. */
export async function signedIn(demo: Demo, n = 0): Promise<Client> {
  const client = new Client(demo.ready.url);
  const account = demo.ready.accounts[n]!;
  const reply = await client.signIn(account.email, account.password);
  if (reply.status !== 200) throw new Error(`sign-in: ${JSON.stringify(reply.body)}`);
  return client;
}

/** Signed in at the operator's console. */
export async function signedInOperator(demo: Demo, account: Pick<Account, "email" | "password"> = demo.ready.operator): Promise<Client> {
  const client = new Client(demo.ready.console);
  const reply = await client.signIn(account.email, account.password);
  if (reply.status !== 200) throw new Error(`sign-in: ${JSON.stringify(reply.body)}`);
  return client;
}

/** The rule that refused a request. */
export const rule = (answer: Answer): string => answer.body.errors[0].rule;

/** The ids of a list. */
export const ids = (list: { items: { id: string }[] }) => list.items.map((item) => item.id);

/** An empty project with this key. */
export async function addProject(admin: Client, key: string, fields: object = {}): Promise<any> {
  const reply = await admin.post("/projects", { key, name: `案件 ${key}`, approach: "waterfall", ...fields });
  if (reply.status !== 201) throw new Error(`project: ${JSON.stringify(reply.body)}`);
  return reply.body;
}

/** Asks for a backup until it is taken: the one of the hour may just be running. */
export async function askBackup(oper: Client): Promise<void> {
  for (const end = Date.now() + 60_000; ; ) {
    const { status, body } = await oper.post("/backups", undefined);
    if (status === 202) return;
    if (status !== 409 || Date.now() > end) throw new Error(`${status} ${JSON.stringify(body)}`);
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}
