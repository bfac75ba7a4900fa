// SPDX-License-Identifier: Apache-2.0
// A service as it is installed, with its relay, watched by the kernel: the
// program under `serve`, confined, TLS on its listener, two tenants at least.
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { type Answer, Client } from "../api/server.ts";
import { type Audit, childOf, openAudit, watched } from "./audit.ts";
import { type Relay, startRelay } from "./relay.ts";

export const PASSWORD = "Daihyou-26";
export const OPERATOR = { email: "ops@example.jp", name: "運用 一郎", password: "Unyou-2026" };
export const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
export const ok = async (reply: Promise<Answer>): Promise<any> => {
  const { status, body } = await reply;
  assert.ok(status < 300, `${status} ${JSON.stringify(body)}`);
  return body;
};
export async function until<T>(what: string, look: () => Promise<T | undefined | false> | T | undefined | false, seconds = 120): Promise<T> {
  for (const end = Date.now() + seconds * 1000; ; ) {
    const found = await look();
    if (found) return found;
    if (Date.now() > end) throw new Error(`never: ${what}`);
    await wait(100);
  }
}

/** What a long run may not let grow. */
export interface Size {
  resident_kb: number;
  threads: number;
  descriptors: number;
  /** Of the longest one. */
  wal_bytes: number;
  /** Files that nobody will open again: temporary ones, deleted ones still held. */
  temporary: string[];
}

export class Service {
  readonly dir = mkdtempSync(join(tmpdir(), "yagura-soak-"));
  readonly data = join(this.dir, "data");
  readonly key = join(this.dir, "master.key");
  /** The relay's certificate, and the moved clock: a folder the server may read. */
  readonly etc = join(this.dir, "etc");
  readonly copies = join(this.dir, "copies");
  readonly program: string;
  readonly env: NodeJS.ProcessEnv;
  relay!: Relay;
  port = 0;
  pid = 0;
  log = "";
  #trace = join(this.dir, "strace");
  #audit?: Audit;
  #strace?: ChildProcess;
  #operatorPort = 0;

  constructor(program: string, env: Record<string, string> = {}) {
    this.program = program;
    for (const one of [this.etc, this.copies]) mkdirSync(one);
    this.env = { ...process.env, YAGURA_TEST_CLOCK_FILE: join(this.etc, "offset"), ...env };
  }
  /** One command of the program, at this data directory; what it printed. */
  run(...words: string[]): string {
    return execFileSync(this.program, [...words, "--data_dir", this.data, "--master_key", this.key], { env: this.env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  }
  /** Moves the clock, and waits until the server has seen it, when it runs. */
  async moveTo(seconds: number) {
    const moves = () => [...this.log.matchAll(/the clock moved seconds=/g)].length;
    const before = moves();
    writeFileSync(join(this.etc, "next"), String(Math.round(seconds)));
    renameSync(join(this.etc, "next"), join(this.etc, "offset"));
    if (this.pid) await until("the clock's move", () => moves() > before);
  }
  async start() {
    const [key, cert] = [join(this.etc, "relay.key"), join(this.etc, "relay.crt")];
    execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out", cert, "-days", "90", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"], { stdio: "ignore" });
    this.relay = await startRelay(readFileSync(key), readFileSync(cert));
    this.run("tenant", "create", "kou", "--name", "甲社", "--admin-email", "boss@kou.example", "--admin-name", "代表");
    const [command, words] = watched(this.#trace, [
      this.program, "serve", "--data_dir", this.data, "--master_key", this.key, "--listen", "127.0.0.1:0", "--operator_listen", "127.0.0.1:0",
      "--smtp_host", "localhost", "--smtp_port", String(this.relay.port), "--smtp_ca", cert, "--smtp_from", "pm@example.jp", "--backup_copy_dir", this.copies, "--backup_region", "jp", "--data_region", "jp",
    ]);
    this.#strace = spawn(command, words, { env: this.env, stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [this.#strace.stdout!, this.#strace.stderr!]) stream.on("data", (data) => (this.log += data));
    const ports = await until("listening", () => {
      assert.equal(this.#strace!.exitCode, null, this.log);
      const found = [...this.log.matchAll(/listening .*port=(\d+)/g)].map(([, one]) => Number(one));
      return found.length >= 2 && found;
    });
    [this.port, this.#operatorPort] = ports as [number, number];
    setDefaultCACertificates([...getCACertificates(), readFileSync(join(this.data, "tls.crt"), "utf8")]);
    this.pid = childOf(this.#strace);
    const token = await until("the set-up token", () => this.log.match(/^ {2}([\w-]{43})$/m)?.[1]);
    await ok(this.operator().post("/setup", { ...OPERATOR, token }));
    this.#audit = openAudit(this.#trace);
    this.#audit.begin(this.pid);
  }
  operator = () => new Client(`http://127.0.0.1:${this.#operatorPort}/operator`);
  at = (tenant: string) => new Client(`https://localhost:${this.port}/t/${tenant}`);

  async signIn(client: Client, email: string, password: string): Promise<Client> {
    await ok(client.post("/sign-in", { email, password }));
    const [, code] = await this.relay.wait(email, /\n {4}(\d{8})\n/);
    await ok(client.post("/sign-in/code", { code }));
    return client;
  }
  signInOperator = () => this.signIn(this.operator(), OPERATOR.email, OPERATOR.password);
  /** The first person of a tenant takes the invitation and agrees to the terms. */
  async enter(tenant: string): Promise<Client> {
    const [client, email] = [this.at(tenant), `boss@${tenant}.example`];
    const [, token] = await this.relay.wait(email, /\/link#([\w-]{43})/);
    await ok(client.post("/links/accept", { token, password: PASSWORD }));
    await this.signIn(client, email, PASSWORD);
    const { terms, is_whole_owed } = (await client.get("/terms")).body;
    if (is_whole_owed) await ok(client.post("/terms/accept", { no: terms.no }));
    return client;
  }
  async found(oper: Client, tenant: string): Promise<Client> {
    await ok(oper.post("/tenants", { id: tenant, name: `会社 ${tenant}`, admin_email: `boss@${tenant}.example`, admin_name: "代表" }));
    return this.enter(tenant);
  }

  size(): Size {
    const status = readFileSync(`/proc/${this.pid}/status`, "utf8");
    const field = (name: string) => Number(status.match(new RegExp(`^${name}:\\s+(\\d+)`, "m"))![1]);
    const held = readdirSync(`/proc/${this.pid}/fd`).map((fd) => {
      try {
        return readlinkSync(`/proc/${this.pid}/fd/${fd}`);
      } catch {
        return "";
      }
    });
    const files = (readdirSync(this.data, { recursive: true }) as string[]).concat(readdirSync(this.copies, { recursive: true }) as string[]);
    const wal = files.filter((name) => name.endsWith("-wal")).map((name) => statSync(join(this.data, name)).size);
    return {
      resident_kb: field("VmRSS"),
      threads: field("Threads"),
      descriptors: held.length,
      wal_bytes: Math.max(0, ...wal),
      temporary: [
        ...files.filter((name) => /(^|\/)(\.(new|writing|replaced|aside)|.*\.(tmp|new|before-\d+)$|etilqs_)/.test(name)),
        ...held.filter((name) => name.endsWith(" (deleted)")),
      ],
    };
  }
  refused = () => this.#audit!.found();
  reload() {
    process.kill(this.pid, "SIGHUP");
  }
  isRunning = () => this.#strace!.exitCode === null && this.#strace!.signalCode === null;
  async stop() {
    if (this.#strace && this.isRunning()) {
      const ended = new Promise((resolve) => this.#strace!.on("exit", resolve));
      process.kill(this.pid, "SIGTERM");
      await ended;
    }
    this.#audit?.close();
    this.relay?.close();
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** Fails on growth; `from` was taken warm, `to` when the load had gone. */
export function assertNoGrowth(from: Size, to: Size) {
  assert.deepEqual(to.temporary, [], "temporary files");
  assert.ok(to.resident_kb <= from.resident_kb * 1.25, `resident: ${from.resident_kb} to ${to.resident_kb} kB`);
  assert.ok(to.threads <= from.threads + 2, `threads: ${from.threads} to ${to.threads}`);
  assert.ok(to.descriptors <= from.descriptors + 8, `descriptors: ${from.descriptors} to ${to.descriptors}`);
  assert.ok(to.wal_bytes <= 16 << 20, `WAL: ${to.wal_bytes} bytes`);
}
