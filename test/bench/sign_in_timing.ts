// SPDX-License-Identifier: Apache-2.0
// Whether the time of a reply tells that an address is known: sign-in with a
// wrong password, and the wish for a reset link.  Known and unknown addresses
// take turns, each from an address of its own behind a trusted proxy, so that
// no throttle speaks.  The figure is the area under the curve of telling them
// apart: 0.5 is a coin, the goal is at most 0.52 beyond what as many samples
// of one kind show among themselves.
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

const binary = process.env.YAGURA ?? "build/yagura";
const KNOWN = Number(process.env.PEOPLE ?? 200);
const EACH = 4; // tries an account before it is slowed
const dir = mkdtempSync(join(tmpdir(), "yagura-timing-"));
const spool = join(dir, "spool");
const options = ["--data_dir", join(dir, "data"), "--master_key", join(dir, "master.key"), "--mail_spool", spool];
const password = "Tokyo-eki-2026";
const agent = new Agent({ keepAlive: true, maxSockets: 1 });
let port = 0;
let calls = 0;

interface Reply { status: number; ms: number; body: any; cookie: string }
function post(path: string, body: unknown, cookie = ""): Promise<Reply> {
  const n = ++calls;
  const data = body instanceof Uint8Array ? Buffer.from(body) : Buffer.from(JSON.stringify(body));
  return new Promise((resolve, reject) => {
    const began = performance.now();
    const r = request({ agent, port, host: "127.0.0.1", method: "POST", path: `/t/kou/api/v1${path}`,
      headers: { "Content-Type": body instanceof Uint8Array ? "application/octet-stream" : "application/json", "Content-Length": data.length,
        "X-Req": "1", Cookie: cookie, "X-Forwarded-For": `198.${18 + (n >> 16)}.${(n >> 8) & 255}.${n & 255}` } }, (reply) => {
      const ms = performance.now() - began;
      let text = "";
      reply.on("data", (d) => (text += d));
      reply.on("end", () => resolve({ status: reply.statusCode!, ms, body: text ? JSON.parse(text) : null,
        cookie: (reply.headers["set-cookie"] ?? []).map((c) => c.split(";")[0]).join("; ") }));
    });
    r.on("error", reject);
    r.end(data);
  });
}

/** Mails of the spool by their pattern, until one is there for everybody. */
async function mails(pattern: RegExp, people: string[]): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  while (found.size < people.length) {
    for (const file of readdirSync(spool).filter((f) => f.endsWith(".eml"))) {
      const raw = readFileSync(join(spool, file), "utf8");
      const to = raw.match(/^To: <?([^>\r\n]+)>?/m)?.[1];
      const at = raw.search(/\r?\n\r?\n/);
      const head = raw.slice(0, at);
      const text = /base64/i.test(head) ? Buffer.from(raw.slice(at), "base64").toString() : raw.slice(at).replace(/=\r?\n/g, "").replace(/=3D/g, "=");
      const match = text.match(pattern);
      if (to && match && people.includes(to)) found.set(to, match[1]!);
    }
    await new Promise((done) => setTimeout(done, 100));
  }
  return found;
}

async function start() {
  mkdirSync(spool);
  execFileSync(binary, ["tenant", "create", "kou", "--name", "甲", "--admin-email", "boss@kou.example", "--admin-name", "代表", ...options], { stdio: "pipe" });
  const child = spawn(binary, ["serve", ...options, "--listen", "127.0.0.1:0", "--listen_plain", "127.0.0.1:0", "--base_url", "http://localhost", "--trusted_proxies", "127.0.0.1/32"], { stdio: ["ignore", "pipe", "pipe"] });
  port = await new Promise((resolve, reject) => {
    let log = "";
    const read = (data: Buffer) => {
      log += data;
      const found = [...log.matchAll(/listening .*port=(\d+).*/g)];
      if (found.length >= 2) resolve(Number(found[1]![1]));
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    child.on("exit", () => reject(new Error(log)));
  });
  return child;
}

/** Many people who set their password. */
async function people(): Promise<string[]> {
  const boss = "boss@kou.example";
  const link = (await mails(/link#(\S+)/, [boss])).get(boss)!;
  const accepted = await post("/links/accept", { token: link, password });
  if (accepted.status >= 300) throw new Error(JSON.stringify(accepted.body));
  const half = await post("/sign-in", { email: boss, password });
  const code = (await mails(/\n {4}(\d{8})\r?\n/, [boss])).get(boss)!;
  const full = await post("/sign-in/code", { code }, half.cookie);
  if (full.status !== 200) throw new Error(JSON.stringify(full.body));
  const all = Array.from({ length: KNOWN }, (_, i) => `person${i}@kou.example`);
  const csv = `操作,メールアドレス,氏名\n${all.map((a, i) => `追加,${a},社員 ${i}`).join("\n")}\n`;
  const job = await post("/people/imports?dry=0", new TextEncoder().encode(csv), full.cookie);
  if (job.status >= 300) throw new Error(JSON.stringify(job.body));
  for (const token of (await mails(/link#(\S+)/, all)).values()) {
    const reply = await post("/links/accept", { token, password });
    if (reply.status >= 300) throw new Error(JSON.stringify(reply.body));
  }
  return all;
}

/** Of all pairs: in how many the first took longer. */
function area(a: number[], b: number[]): number {
  const all = [...a.map((v) => [v, 1] as const), ...b.map((v) => [v, 0] as const)].sort((x, y) => x[0] - y[0]);
  let ranks = 0;
  for (let i = 0; i < all.length; ) {
    let k = i;
    while (k < all.length && all[k]![0] === all[i]![0]) k++;
    for (let n = i; n < k; n++) if (all[n]![1]) ranks += (i + k + 1) / 2;
    i = k;
  }
  const u = (ranks - (a.length * (a.length + 1)) / 2) / (a.length * b.length);
  return Math.max(u, 1 - u);
}

async function compare(name: string, known: string[], each: number, ask: (email: string) => Promise<Reply>) {
  const times: [number[], number[]] = [[], []];
  const seen = new Set<string>();
  for (let round = 0; round < each; round++)
    for (const [i, email] of known.entries()) {
      const turns = [email, email.replace("person", "nobody")];
      for (const n of Math.random() < 0.5 ? [0, 1] : [1, 0]) {
        const reply = await ask(turns[n]!);
        if (i > 20 || round) times[n]!.push(reply.ms); // warm first
        seen.add(`${reply.status} ${JSON.stringify(reply.body?.errors)}`);
      }
    }
  const half = (list: number[], n: number) => list.filter((_, i) => i % 2 === n);
  const noise = area(half(times[1]!, 0), half(times[1]!, 1));
  const middle = (list: number[]) => [...list].sort((a, b) => a - b)[list.length >> 1]!.toFixed(2);
  console.log(`${name.padEnd(28)} AUC ${area(times[0]!, times[1]!).toFixed(4)} (unknown among themselves ${noise.toFixed(4)}), ${times[0]!.length} of each,` +
    ` median ${middle(times[0]!)} / ${middle(times[1]!)} ms; ${seen.size === 1 ? "one answer for all" : `ANSWERS DIFFER: ${[...seen].join(" | ")}`}`);
}

const child = await start();
try {
  const all = await people();
  await compare("reset link", all, 3, (email) => post("/password-reset", { email }));
  await compare("sign-in, wrong password", all, EACH, (email) => post("/sign-in", { email, password: "Osaka-eki-2026" }));
} finally {
  child.kill("SIGKILL");
  rmSync(dir, { recursive: true, force: true });
}
