// SPDX-License-Identifier: Apache-2.0
// The trust page turns when what lies around the service breaks: certificate,
// TLS, listeners, the mail relay.  `serve` as it is installed, with TLS and a
// relay; each break is seen by both readers and by doctor, and mended.
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type Answer, binary, Client } from "../server.ts";

const dir = mkdtempSync(join(tmpdir(), "yagura-turns-serve-"));
const file = (name: string) => join(dir, name);
const me = { email: "ops@example.jp", name: "運用 一郎", password: "Unyou-2026" };
const boss = { email: "boss@acme.example", password: "Daihyou-26" };
let server: ChildProcess;
let log = "";
let ports: string[] = [];
let oper: Client;
let admin: Client;
let now = 0; // hours

// ---- a relay that may be unwilling ----

interface Mail { to: string; text: string }
const mails: Mail[] = [];
let mood: "well" | "refuses" | "busy" = "well";
const relay = net.createServer((socket) => {
  let [text, to, content] = ["", "", ""];
  let inData = false;
  const say = (line: string) => socket.write(`${line}\r\n`);
  socket.on("error", () => socket.destroy());
  if (mood === "busy") return void (say("421 too busy"), socket.end());
  say("220 relay");
  socket.on("data", (chunk) => {
    text += chunk;
    for (let at = text.indexOf("\r\n"); at >= 0; at = text.indexOf("\r\n")) {
      const line = text.slice(0, at);
      text = text.slice(at + 2);
      if (inData && line !== ".") content += `${line}\n`;
      else if (inData) {
        inData = false;
        mails.push({ to, text: Buffer.from(content.slice(content.indexOf("\n\n")), "base64").toString() });
        content = "";
        say("250 taken");
      } else if (line.startsWith("RCPT")) {
        to = line.match(/<(.*)>/)![1]!;
        say(mood === "refuses" ? "504 5.5.2 Helo command rejected: need fully-qualified hostname" : "250 ok");
      } else if (line === "DATA") (inData = true), say("354 go on");
      else if (line === "QUIT") say("221 bye"), socket.end();
      else say("250 ok");
    }
  });
});

// ---- the service ----

async function until<T>(look: () => Promise<T | undefined | false | null> | T | undefined | false | null): Promise<T> {
  for (const end = Date.now() + 120_000; ; ) {
    const found = await look();
    if (found) return found;
    if (Date.now() > end) throw new Error(`never: ${look}\n${log.slice(-2000)}`);
    await new Promise((resolve) => setTimeout(resolve, 40));
  }
}
const ok = async (reply: Promise<Answer>): Promise<any> => {
  const { status, body } = await reply;
  assert.ok(status < 300, `${status} ${JSON.stringify(body)}`);
  return body;
};
function moveTo(hours: number) {
  now = hours;
  writeFileSync(file("next"), String(Math.round(hours * 3600)));
  renameSync(file("next"), file("offset"));
}
async function start(words: string[] = []) {
  log = "";
  server = spawn(binary, [
    "serve", "--data_dir", file("data"), "--master_key", file("master.key"), "--listen", "127.0.0.1:0", "--operator_listen", "127.0.0.1:0", "--base_url", "https://localhost",
    "--cert", file("own.crt"), "--cert_key", file("own.key"), "--smtp_host", "127.0.0.1", "--smtp_port", String((relay.address() as net.AddressInfo).port), "--smtp_security", "plain",
    "--smtp_from", "pm@example.jp", ...words,
  ], { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ASAN_OPTIONS: "detect_leaks=0", YAGURA_TEST_CLOCK_FILE: file("offset"), YAGURA_TEST_LOOK_MS: "60" } });
  for (const stream of [server.stdout!, server.stderr!]) stream.on("data", (text) => (log += text));
  const port = (tls: number, address: string) => new RegExp(`listening address=${address} port=(\\d+) tls=${tls}`);
  ports = await until(() => {
    assert.equal(server.exitCode, null, log);
    const found = [log.match(port(1, "127\\.0\\.0\\.1"))?.[1], log.match(port(0, "127\\.0\\.0\\.1"))?.[1]];
    return found.every(Boolean) && (found as string[]);
  });
}
const stop = () =>
  new Promise<void>((resolve) => {
    if (server.exitCode !== null || server.signalCode !== null) return resolve();
    server.on("exit", () => resolve());
    server.kill();
  });
async function signedIn(base: string, who: { email: string; password: string }): Promise<Client> {
  const client = new Client(base);
  const seen = mails.length;
  await ok(client.post("/sign-in", { email: who.email, password: who.password }));
  const code = await until(() => mails.slice(seen).find((m) => m.to === who.email && /\n {4}\d{8}\n/.test(m.text)));
  await ok(client.post("/sign-in/code", { code: code.text.match(/\n {4}(\d{8})\n/)![1] }));
  return client;
}
async function signIn() {
  oper = await signedIn(`http://127.0.0.1:${ports[1]}/operator`, me);
  admin = await signedIn(`https://localhost:${ports[0]}/t/acme`, boss);
}
const rows = async (who: Client): Promise<any[]> => (await ok(who.get("/trust"))).items;
const turns = (who: Client, no: number, pattern: RegExp) =>
  until(async () => { const row = (await rows(who))[no - 1]; return row.state === "attention" && row.evidence.some((l: any) => !l.holds && pattern.test(l.text)); });
const turnsBack = (who: Client, no: number, pattern: RegExp) => until(async () => !(await rows(who))[no - 1].evidence.some((l: any) => !l.holds && pattern.test(l.text)));
async function hold(...nos: number[]) {
  for (const who of [oper, admin]) {
    const all = await rows(who);
    for (const no of nos) assert.equal(all[no - 1].state, "holds", JSON.stringify(all[no - 1].evidence));
  }
}
async function doctor(): Promise<Record<string, { state: string; ja: string }>> {
  await ok(oper.post("/doctor", undefined));
  const { items } = await until(async () => { const found = await ok(oper.get("/doctor")); return !found.is_asked && found; });
  return Object.fromEntries(items.map((f: any) => [f.name, f]));
}
const problems = async () => Number(/問題 (\d+) 件/.exec((await rows(oper))[13].evidence.find((l: any) => /点検（doctor）/.test(l.text)).text)![1]);

/** So many times 24 minutes, in which nobody's session is idle for too long. */
async function pass(times: number) {
  for (let n = 0; n < times; n++) {
    moveTo(now + 0.4);
    for (const who of [oper, admin]) await ok(who.get("/session"));
  }
}

// ---- certificates ----

const openssl = (...words: string[]) => execFileSync("openssl", words, { stdio: "pipe" });
function certify(name: string, host: string, days: number) {
  openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", `/CN=${host}`, "-keyout", file(`${name}.key`), "-out", file(`${name}.csr`));
  writeFileSync(file(`${name}.ext`), `subjectAltName=DNS:${host}\n`);
  openssl("x509", "-req", "-in", file(`${name}.csr`), "-CA", file("ca.crt"), "-CAkey", file("ca.key"), "-CAcreateserial", "-days", String(days), "-extfile", file(`${name}.ext`), "-out", file(`${name}.crt`));
  chmodSync(file(`${name}.key`), 0o600);
}
/** As a renewal does it: the files in their places, then SIGHUP. */
async function use(name: string) {
  for (const kind of ["key", "crt"]) {
    copyFileSync(file(`${name}.${kind}`), file("next"));
    chmodSync(file("next"), 0o600);
    renameSync(file("next"), file(`own.${kind}`));
  }
  if (!server) return;
  const before = log.length;
  server.kill("SIGHUP");
  await until(() => log.slice(before).includes("certificate read again"));
}

before(async () => {
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0"; // an authority of this test's
  openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=Test CA", "-days", "900", "-keyout", file("ca.key"), "-out", file("ca.crt"));
  certify("good", "localhost", 400);
  certify("other", "www.example.com", 400);
  certify("short", "localhost", 3);
  await use("good");
  moveTo(0);
  await new Promise<void>((resolve) => relay.listen(0, "127.0.0.1", resolve));
  await start();
  const token = await until(() => log.match(/^ {2}([\w-]{43})$/m)?.[1]);
  await ok(new Client(`http://127.0.0.1:${ports[1]}/operator`).post("/setup", { ...me, token }));
  oper = await signedIn(`http://127.0.0.1:${ports[1]}/operator`, me);
  await ok(oper.post("/tenants", { id: "acme", name: "アクメ", admin_email: boss.email, admin_name: "代表" }));
  const invited = await until(() => mails.find((m) => m.to === boss.email && /\/link#/.test(m.text)));
  await ok(new Client(`https://localhost:${ports[0]}/t/acme`).post("/links/accept", { token: invited.text.match(/\/link#([\w-]{43})/)![1], password: boss.password }));
  admin = await signedIn(`https://localhost:${ports[0]}/t/acme`, boss);
  await until(async () => (await rows(oper))[5].evidence.length);
  await doctor();
});
after(async () => {
  await stop();
  delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
  relay.close();
  rmSync(dir, { recursive: true, force: true });
});

// service.md 13
test("a certificate of another host, or one that ends, turns rows 15 and 37", async () => {
  await hold(15, 37);
  for (const [name, pattern] of [["other", /証明書は、次の設定のホスト名のものではありません: base_url/], ["short", /証明書は .* まで有効（残り 2 日）/]] as const) {
    await use(name);
    assert.equal((await doctor()).certificate!.state, "bad");
    for (const no of [15, 37]) {
      await turns(oper, no, pattern);
      await turns(admin, no, /証明書の期限とホスト名：満たしていません/);
    }
    await use("good");
    assert.equal((await doctor()).certificate!.state, "good");
    await hold(15, 37);
  }
});

// 1 and 28: by the one connection that is kept, for no other comes about
test("while no handshake succeeds rows 15 and 37 say so, after it no longer", async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const ask = (method: string, path: string) =>
    new Promise<any>((resolve, reject) => {
      const headers = { Cookie: [...oper.cookies].map(([k, v]) => `${k}=${v}`).join("; "), "Accept-Language": "ja", ...(method === "POST" ? { "X-Req": "1" } : {}) };
      request({ host: "127.0.0.1", port: ports[1], method, path: `/operator/api/v1${path}`, agent, headers }, (reply) => {
        let text = "";
        reply.on("data", (data) => (text += data));
        reply.on("end", () => resolve(text ? JSON.parse(text) : undefined));
      }).on("error", reject).end();
    });
  const limit = (files: number | string) => execFileSync("prlimit", ["--pid", `${server.pid}`, `--nofile=${files}:`]);
  await ask("GET", "/session");
  const files = readFileSync(`/proc/${server.pid}/limits`, "utf8").match(/Max open files +(\d+)/)![1]!;
  limit(3); // no descriptor is left for whoever comes
  try {
    await ask("POST", "/doctor");
    const { items } = await until(async () => { const found = await ask("GET", "/doctor"); return found.is_asked === false && found; });
    assert.equal(items.find((f: any) => f.name === "tls").state, "bad", JSON.stringify(items));
    const { items: page } = await ask("GET", "/trust");
    for (const no of [15, 37]) {
      assert.equal(page[no - 1].state, "attention");
      assert.ok(page[no - 1].evidence.some((l: any) => !l.holds && /TLS の接続が成立しません/.test(l.text)), JSON.stringify(page[no - 1]));
    }
  } finally {
    limit(files);
    agent.destroy();
  }
  assert.equal((await doctor()).tls!.state, "good");
  await hold(15, 37);
});

// 29 and 34
test("a relay that refuses each recipient is a problem that row 14 counts, with the relay's own words", async () => {
  const before = await problems();
  mood = "refuses";
  const { mail } = await doctor();
  assert.deepEqual([mail!.state, /504 5\.5\.2 Helo command rejected/.test(mail!.ja)], ["bad", true], mail!.ja);
  assert.equal(await problems(), before + 1);
  mood = "well";
  assert.equal((await doctor()).mail!.state, "good");
  assert.equal(await problems(), before);
});

// 9: written is not delivered
test("mails that wait for the relay for an hour turn row 17 of both, until it takes them", async () => {
  const jst = (hours: number) => new Date(Date.now() + (now + 9 + hours) * 3_600_000).toISOString().slice(0, 19);
  const n = await ok(oper.post("/service/notices", { kind: "maintenance", title_ja: "停止", title_en: "Stop", body_ja: "本文", body_en: "Text", starts_at: jst(200), ends_at: jst(201), is_for_all: true, mail_to: "admins" }));
  mood = "busy";
  await ok(oper.request("POST", `/service/notices/${n.id}/publish`, {}, { "If-Match": `"${n.version}"` }));
  const late = /1時間以上受け取られていないもの 1 通/;
  const waits = /お知らせメール 1 通のうち中継サーバーが受け取ったもの 0 通、1時間以上受け取られていないもの 0 通/;
  await until(async () => (await rows(oper))[16].evidence.some((l: any) => l.holds && waits.test(l.text)));
  await pass(3);
  await turns(oper, 17, late);
  await turns(admin, 17, /お知らせメールの配信：満たしていません/);
  mood = "well";
  await pass(2);
  await turnsBack(oper, 17, late);
  await turnsBack(admin, 17, /お知らせメールの配信/);
  assert.ok(mails.some((m) => m.to === boss.email && /本文/.test(m.text)));
});

// 32
test("a plain listener beyond this machine turns row 15, whoever may use it", async () => {
  mood = "well";
  await stop();
  await start(["--listen_plain", "0.0.0.0:0", "--trusted_proxies", "192.0.2.1"]);
  await signIn();
  const { listen } = await doctor();
  assert.deepEqual([listen!.state, /平文がこの機械の外に出ます/.test(listen!.ja)], ["warning", true], listen!.ja);
  await turns(oper, 15, /平文がこの機械の外に出ます/);
  await turns(admin, 15, /平文の待ち受けがこの機械の外にないこと：満たしていません/);
  await stop();
  await start();
  await signIn();
  assert.equal((await doctor()).listen!.state, "good");
  await hold(15);
});
