// SPDX-License-Identifier: Apache-2.0
// A server as it is in service, on loopback, with a mail relay that a test may
// stop or let refuse somebody: one tenant with its administrator, one operator.
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { type Relay, startRelay } from "../soak/relay.ts";
import { binary, Client } from "./server.ts";

async function until<T>(look: () => T | undefined | false | null): Promise<T> {
  for (const end = Date.now() + 60_000; ; ) {
    const found = look();
    if (found) return found;
    if (Date.now() > end) throw new Error(`never: ${look}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export class Mailed {
  readonly tenant = "kou";
  readonly admin = { email: "boss@kou.example", name: "代表 太郎", password: "Daihyou-2026" };
  readonly operator = { email: "ichiro@ops.example", name: "運用 一郎", password: "Unyou-2026" };
  readonly dir = mkdtempSync(join(tmpdir(), "yagura-mailed-"));
  relay!: Relay;
  log = "";
  url = "";
  console = "";
  #env: NodeJS.ProcessEnv;
  #server: ChildProcess | undefined;
  constructor(env: Record<string, string> = {}) {
    this.#env = { ...process.env, ASAN_OPTIONS: "detect_leaks=0", YAGURA_TEST_CLOCK_FILE: join(this.dir, "offset"), ...env };
  }

  /** The relay, again at its port when it was closed. */
  async openRelay() {
    const read = (name: string) => readFileSync(join(this.dir, name));
    this.relay = await startRelay(read("relay.key"), read("relay.crt"), this.relay?.port ?? 0);
  }
  /** The tests' clock, seconds from the machine's; of a build for tests alone. */
  moveTo(seconds: number) {
    writeFileSync(join(this.dir, "next"), String(seconds));
    renameSync(join(this.dir, "next"), join(this.dir, "offset"));
  }
  async start() {
    const cert = join(this.dir, "relay.crt");
    const where = ["--data_dir", join(this.dir, "data"), "--master_key", join(this.dir, "master.key")];
    this.moveTo(0);
    execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", join(this.dir, "relay.key"), "-out", cert, "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"], { stdio: "ignore" });
    await this.openRelay();
    execFileSync(binary, ["tenant", "create", this.tenant, "--name", "甲社", "--admin-email", this.admin.email, "--admin-name", this.admin.name, ...where], { env: this.#env, stdio: ["ignore", "pipe", "pipe"] });
    const server = (this.#server = spawn(binary, ["serve", ...where, "--listen", "127.0.0.1:0", "--operator_listen", "127.0.0.1:0",
      "--smtp_host", "localhost", "--smtp_port", String(this.relay.port), "--smtp_ca", cert, "--smtp_from", "pm@example.jp"], { env: this.#env, stdio: ["ignore", "pipe", "pipe"] }));
    for (const stream of [server.stdout!, server.stderr!]) stream.on("data", (data) => (this.log += data));
    const [port, console] = await until(() => {
      assert.equal(server.exitCode, null, this.log);
      const found = [...this.log.matchAll(/listening .*port=(\d+)/g)].map(([, one]) => Number(one));
      return found.length >= 2 && found;
    });
    setDefaultCACertificates([...getCACertificates(), readFileSync(join(this.dir, "data", "tls.crt"), "utf8")]);
    this.url = `https://localhost:${port}/t/${this.tenant}`;
    this.console = `http://127.0.0.1:${console}/operator`;
    const [, token] = await until(() => this.log.match(/^ {2}([\w-]{43})$/m));
    const made = await new Client(this.console).post("/setup", { ...this.operator, token });
    assert.ok(made.status < 300, JSON.stringify(made.body));
    const [, invitation] = await this.relay.wait(this.admin.email, /\/link#([\w-]{43})/);
    assert.equal((await new Client(this.url).post("/links/accept", { token: invitation, password: this.admin.password })).status, 204);
  }
  async stop() {
    await new Promise<void>((resolve) => {
      if (!this.#server || this.#server.exitCode !== null || this.#server.signalCode !== null) return resolve();
      this.#server.on("exit", () => resolve());
      this.#server.kill();
    });
    this.relay?.close();
    rmSync(this.dir, { recursive: true, force: true });
  }

  /** The code that was just mailed to somebody. */
  code = async (email: string) => (await this.relay.wait(email, /\n {4}(\d{8})\n/))[1]!;
  async signIn(client: Client, account: { email: string; password: string }): Promise<Client> {
    assert.equal((await client.post("/sign-in", { email: account.email, password: account.password })).status, 200);
    assert.equal((await client.post("/sign-in/code", { code: await this.code(account.email) })).status, 200);
    return client;
  }
  signInOperator = () => this.signIn(new Client(this.console), this.operator);
  signInAdmin = () => this.signIn(new Client(this.url), this.admin);
}
