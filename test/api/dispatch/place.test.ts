// SPDX-License-Identifier: Apache-2.0
// Which host, listener and path belongs to whom: tenants by host name, by a
// listener of their own and by path; an unknown host is 421, a foreign path
// 404, a foreign session 401; no mail is built from what a request says.
import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { request as http } from "node:http";
import { request as https } from "node:https";
import { createServer, type AddressInfo } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { binary, removeDir, startDemo } from "../server.ts";

const dir = mkdtempSync(join(tmpdir(), "yagura-place-"));
const spool = join(dir, "spool");
const options = ["--data_dir", join(dir, "data"), "--master_key", join(dir, "master.key"), "--mail_spool", spool, "--base_url", "https://pm.example.jp"];
const env = { ...process.env, ASAN_OPTIONS: "detect_leaks=0" };
let child: ChildProcess;
let ports: number[] = []; // common, tei's own, operator's
let log = "";

async function start(extra: string[] = [], stdio: any[] = [], program = binary, words: string[] = []) {
  log = "";
  ports = [];
  child = spawn(program, [...words, "serve", ...options, ...extra], { stdio: ["ignore", "pipe", "pipe", ...stdio], env });
  await new Promise<void>((resolve, reject) => {
    const read = (data: Buffer) => {
      log += data;
      ports = [...log.matchAll(/listening .*port=(\d+)/g)].map(([, one]) => Number(one));
      if (ports.length >= (extra.includes("--operator_listen") ? 3 : 1)) resolve();
    };
    child.stdout!.on("data", read);
    child.stderr!.on("data", read);
    child.on("exit", () => reject(new Error(log)));
  });
}
async function stop() {
  child.kill("SIGTERM");
  if (child.exitCode === null) await once(child, "exit");
}
const create = (id: string, ...more: string[]) =>
  execFileSync(binary, ["tenant", "create", id, "--name", id, "--admin-email", `boss@${id}.example`, "--admin-name", "代表", ...more, ...options], { env, stdio: "pipe" });
before(async () => {
  mkdirSync(spool);
  create("kou", "--host", "kou.example.jp");
  create("otsu", "--host", "otsu.example.jp");
  create("hei");
  create("tei", "--host", "tei.example.jp");
  await start(["--listen", "127.0.0.1:0", "--tenant_listen", "tei=127.0.0.1:0", "--operator_listen", "127.0.0.1:0"]);
});
after(async () => {
  child.kill("SIGTERM");
  rmSync(dir, { recursive: true, force: true });
});

interface Reply {
  status: number;
  type: string;
  text: string;
  cookies: string[];
  hsts: string;
}
/** A request whose Host, SNI and cookie are chosen freely. */
function ask(host: string, path: string, more: { port?: number; sni?: string; cookie?: string; body?: object; plain?: boolean; address?: string; headers?: object } = {}): Promise<Reply> {
  const { port = ports[0]!, sni, cookie, body, plain, address = "127.0.0.1", headers } = more;
  return new Promise((resolve, reject) => {
    const call = (plain ? http : https)(
      {
        host: address, port, path, method: body ? "POST" : "GET", rejectUnauthorized: false, agent: false, ...(sni === undefined ? {} : { servername: sni }),
        headers: { Host: host, ...headers, ...(cookie ? { Cookie: cookie } : {}), ...(body ? { "X-Req": "1", "Content-Type": "application/json" } : {}) },
      } as any,
      (reply: any) => {
        let text = "";
        reply.on("data", (part: Buffer) => (text += part));
        reply.on("end", () => resolve({ status: reply.statusCode, type: reply.headers["content-type"] ?? "", text, cookies: reply.headers["set-cookie"] ?? [], hsts: reply.headers["strict-transport-security"] ?? "" }));
      },
    );
    call.on("error", reject);
    call.end(body ? JSON.stringify(body) : undefined);
  });
}
const mailTo = async (to: string, pattern: RegExp, not: string[] = []): Promise<string> => {
  for (;;) {
    for (const name of readdirSync(spool).filter((n) => n.endsWith(".eml"))) {
      const text = readFileSync(join(spool, name), "utf8");
      if (!text.includes(`To: <${to}>`)) continue;
      const match = Buffer.from(text.slice(text.indexOf("\r\n\r\n")), "base64").toString().match(pattern);
      if (match && !not.includes(match[1]!)) return match[1]!;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};

test("a host that is nobody's is 421, in the one error shape", async () => {
  for (const host of ["evil.example", "pm.example.jp.evil.example", "127.0.0.1", "localhost", "hei.example.jp"]) {
    for (const path of ["/", "/api/v1/session", "/t/hei/api/v1/session"]) {
      const reply = await ask(host, path);
      assert.equal(reply.status, 421, `${host}${path}`);
      assert.match(reply.type, /problem\+json/);
      assert.equal(JSON.parse(reply.text).errors[0].rule, "host");
    }
  }
  assert.equal((await ask("pm.example.jp", "/livez")).status, 200);
});

test("a tenant answers at its own host, and at no path", async () => {
  assert.equal((await ask("kou.example.jp", "/api/v1/password-policy")).status, 200);
  assert.equal((await ask("kou.example.jp:8443", "/api/v1/password-policy")).status, 200, "whatever the port");
  assert.equal((await ask("kou.example.jp", "/t/otsu/api/v1/password-policy")).status, 404);
  assert.equal((await ask("kou.example.jp", "/t/kou/api/v1/password-policy")).status, 404);
  assert.equal((await ask("kou.example.jp", "/t/otsu/")).status, 404, "nor a page");
  assert.equal((await ask("pm.example.jp", "/t/kou/api/v1/password-policy")).status, 404, "its storage is not shared");
  assert.equal((await ask("pm.example.jp", "/t/hei/api/v1/password-policy")).status, 200, "without a host: by path");
});

test("a listener of its own serves its tenant alone, and no other serves that tenant", async () => {
  const own = { port: ports[1]! };
  assert.equal((await ask("pm.example.jp", "/api/v1/password-policy", own)).status, 200);
  assert.equal((await ask("tei.example.jp", "/api/v1/password-policy", own)).status, 200);
  assert.equal((await ask("otsu.example.jp", "/api/v1/password-policy", own)).status, 421);
  for (const id of ["otsu", "hei", "tei"]) assert.equal((await ask("pm.example.jp", `/t/${id}/api/v1/password-policy`, own)).status, 404, id);
  assert.equal((await ask("tei.example.jp", "/api/v1/password-policy")).status, 421);
  assert.equal((await ask("pm.example.jp", "/t/tei/api/v1/password-policy")).status, 404);
  // what is mailed leads to its port, whatever port the request named
  const first = await mailTo("boss@tei.example", /\/link#(\S+)/);
  assert.equal((await ask("tei.example.jp:6666", "/api/v1/password-reset", { ...own, body: { email: "boss@tei.example" } })).status, 202);
  const second = await mailTo("boss@tei.example", /\/link#(\S+)/, [first]);
  assert.match(await mailTo("boss@tei.example", new RegExp(`(https:\\S+)/link#${second}`)), new RegExp(`^https://tei\\.example\\.jp:${ports[1]}$`));
});

test("who asks for one name in the handshake and another in the request is sent away", async () => {
  assert.equal((await ask("kou.example.jp", "/api/v1/password-policy", { sni: "kou.example.jp" })).status, 200);
  assert.equal((await ask("kou.example.jp", "/api/v1/password-policy", { sni: "otsu.example.jp" })).status, 421);
});

test("links lead to the tenant's own place, whatever Host the request named", async () => {
  assert.match(await mailTo("boss@kou.example", /(https:\S+)\/link#/), /^https:\/\/kou\.example\.jp$/);
  assert.match(await mailTo("boss@hei.example", /(https:\S+)\/link#/), /^https:\/\/pm\.example\.jp\/t\/hei$/);
  const first = await mailTo("boss@kou.example", /\/link#(\S+)/);
  assert.equal((await ask("evil.example", "/api/v1/password-reset", { body: { email: "boss@kou.example" } })).status, 421);
  assert.equal((await ask("kou.example.jp:6666", "/api/v1/password-reset", { body: { email: "boss@kou.example" } })).status, 202);
  const second = await mailTo("boss@kou.example", /\/link#(\S+)/, [first]);
  assert.match(await mailTo("boss@kou.example", new RegExp(`(https:\\S+)/link#${second}`)), /^https:\/\/kou\.example\.jp$/);
  // what a stranger may ask for ends no link that was mailed before
  assert.equal((await ask("kou.example.jp", "/api/v1/links/check", { body: { token: first } })).status, 200);
  for (let i = 0; i < 8; i++) assert.equal((await ask("kou.example.jp", "/api/v1/password-reset", { body: { email: "boss@kou.example" } })).status, 202);
  assert.ok(readdirSync(spool).filter((n) => n.endsWith(".eml") && readFileSync(join(spool, n), "utf8").includes("To: <boss@kou.example>")).length <= 4, "and mails no more than three");
});

test("a session of one tenant is nothing at another's host; its cookie says whose it is", async () => {
  const password = "Daihyou-26";
  for (const id of ["kou", "otsu"]) {
    const token = await mailTo(`boss@${id}.example`, /\/link#(\S+)/);
    assert.equal((await ask(`${id}.example.jp`, "/api/v1/links/accept", { body: { token, password } })).status, 204);
  }
  const half = await ask("kou.example.jp", "/api/v1/sign-in", { body: { email: "boss@kou.example", password } });
  assert.equal(half.status, 200, half.text);
  const pair = half.cookies[0]!.split(";")[0]!;
  assert.match(pair, /^__Host-s-kou=/);
  const code = await mailTo("boss@kou.example", /\n {4}(\d{8})\n/);
  const full = await ask("kou.example.jp", "/api/v1/sign-in/code", { body: { code }, cookie: pair });
  const cookie = full.cookies[0]!.split(";")[0]!;
  assert.equal((await ask("kou.example.jp", "/api/v1/session", { cookie })).status, 200);
  for (const name of ["__Host-s-kou", "__Host-s-otsu", "s-otsu"])
    assert.equal((await ask("otsu.example.jp", "/api/v1/session", { cookie: `${name}=${cookie.split("=")[1]}` })).status, 401, name);
});

test("the operator's port answers health and figures, nothing else", async () => {
  const own = { port: ports[2]!, plain: true };
  for (const path of ["/livez", "/readyz", "/metrics"]) assert.equal((await ask("127.0.0.1", path, own)).status, 200, path);
  assert.equal((await ask("pm.example.jp", "/", own)).status, 302, "to the console");
  for (const path of ["/api/v1/session", "/t/hei/", "/t/hei/api/v1/password-policy"]) assert.equal((await ask("pm.example.jp", path, own)).status, 404, path);
});

test("the demo answers on loopback names alone, and its mails lead to it", async (t) => {
  const demo = await startDemo();
  t.after(() => demo.stop().then(() => removeDir(demo)));
  const port = Number(new URL(demo.ready.url).port);
  for (const host of ["localhost", `127.0.0.1:${port}`, `[::1]:${port}`])
    assert.equal((await ask(host, "/t/kaku/api/v1/password-policy", { port, plain: true })).status, 200, host);
  for (const host of ["evil.example", "192.0.2.1", `rebind.example:${port}`])
    assert.equal((await ask(host, "/t/kaku/api/v1/demo/mail", { port, plain: true })).status, 421, host);
  const mails = JSON.parse((await ask("localhost", "/t/kaku/api/v1/demo/mail", { port, plain: true })).text).items;
  // to the tenant, or, what is written to operators, to their place
  for (const mail of mails)
    for (const [link] of mail.text.matchAll(/http\S+/g)) assert.ok([demo.ready.url, demo.ready.console].some((place) => link.startsWith(`${place}/`)), link);
});

/** Listening sockets as a service manager opens them. */
async function openSockets(...hosts: string[]) {
  const servers = [];
  for (const host of hosts) {
    const server = createServer();
    server.listen(0, host);
    await once(server, "listening");
    servers.push(server);
  }
  return { ports: servers.map((s) => (s.address() as AddressInfo).port), handles: servers.map((s) => (s as any)._handle), close: () => servers.forEach((s) => s.close()) };
}
// the pid is the shell's, which becomes the server
const handOver = (names: string[]) => ["-c", `LISTEN_PID=$$ LISTEN_FDS=${names.length} LISTEN_FDNAMES=${names.join(":")} exec "$0" "$@"`, binary];

test("a socket handed over by the service manager belongs to the listener of its address", async () => {
  await stop();
  const sockets = await openSockets("127.0.0.1", "127.0.0.1");
  const [first, second] = sockets.ports as [number, number];
  // handed over the other way round than the keys are read
  await start(["--listen", `127.0.0.1:${second}`, "--listen_plain", `127.0.0.1:${first}`], sockets.handles, "/bin/sh", handOver(["a.socket", "b.socket"]));
  sockets.close();
  assert.equal((await ask("pm.example.jp", "/livez", { port: second })).status, 200);
  assert.equal((await ask("pm.example.jp", "/livez", { port: first, plain: true })).status, 200);
});

test("a socket that no key of the configuration listens on is refused by its name", async () => {
  await stop();
  // the package's socket on every address, and the configuration of a proxy recipe
  const sockets = await openSockets("::");
  const own = await openSockets("127.0.0.1");
  own.close();
  await assert.rejects(
    start(["--listen", "", "--listen_plain", `127.0.0.1:${own.ports[0]}`, "--trusted_proxies", "127.0.0.1/32"], sockets.handles, "/bin/sh", handOver(["yagura.socket"])),
    new RegExp(`inherited=yagura\\.socket address=:: port=${sockets.ports[0]}: the configuration does not listen there`),
  );
  sockets.close();
});

const anyPlain = ["--listen", "127.0.0.1:0", "--listen_plain", "0.0.0.0:0"];
const check = (...words: string[]) => {
  const ended = spawnSync(binary, ["config", "check", ...options, ...words], { env, encoding: "utf8" });
  return { status: ended.status, said: ended.stdout + ended.stderr };
};

test("plain HTTP on a network is for a proxy that trusted_proxies names", async (t) => {
  for (const [ranges, good] of [["", false], ["127.0.0.1/32 ::1", false], ["0.0.0.0/0", false], ["::/0", false], ["192.0.2.1", true]] as const) {
    const { status, said } = check(...anyPlain, "--trusted_proxies", ranges);
    assert.equal(status, good ? 0 : 1, `${ranges}: ${said}`);
    if (!good) assert.match(said, /trusted_proxies/);
  }
  const far = Object.values(networkInterfaces()).flat().find((a) => a!.family === "IPv4" && !a!.internal)?.address;
  if (!far) return t.skip("no address but the loopback");
  await start([...anyPlain, "--trusted_proxies", "192.0.2.1"]);
  while (ports.length < 2) await once(child.stderr!, "data");
  const plain = { port: ports[1]!, plain: true };
  assert.equal((await ask("pm.example.jp", "/livez", plain)).status, 200, "this machine");
  await assert.rejects(ask("pm.example.jp", "/livez", { ...plain, address: far }), "a stranger is not answered in the clear");
  assert.match(log, /listening address=0\.0\.0\.0 port=\d+ tls=0/);
  await stop();
});

test("behind a proxy the host is that of Host alone, and https is what base_url says", async () => {
  await start(["--listen", "", "--listen_plain", "127.0.0.1:0", "--trusted_proxies", "127.0.0.1/32", "--operator_host", "ops.example.jp"]);
  const at = { port: ports[0]!, plain: true };
  const policy = "/api/v1/password-policy";
  assert.equal((await ask("kou.example.jp", policy, at)).status, 200);
  for (const name of ["X-Forwarded-Host", "X-Original-Host", "X-Host", "X-Forwarded-Server", "X-HTTP-Host-Override"])
    for (const [host, path] of [["kou.example.jp", policy], ["ops.example.jp", "/operator/api/v1/password-policy"]] as const)
      assert.equal((await ask("evil.example", path, { ...at, headers: { [name]: host } })).status, path === policy ? 421 : 404, name);
  assert.equal((await ask("evil.example", policy, { ...at, headers: { Forwarded: "for=192.0.2.1;host=kou.example.jp;proto=http" } })).status, 421);
  for (const target of ["http://kou.example.jp" + policy, "//kou.example.jp" + policy])
    assert.notEqual((await ask("evil.example", target, at)).status, 200, target);
  // no word of the proxy on the scheme, or a wrong one
  for (const headers of [{}, { "X-Forwarded-Proto": "http" }]) {
    const reply = await ask("kou.example.jp", "/api/v1/sign-in", { ...at, headers, body: { email: "boss@kou.example", password: "Daihyou-26" } });
    assert.equal(reply.status, 200, reply.text);
    assert.match(reply.cookies[0]!, /^__Host-s-kou=.*; Secure/);
    assert.match(reply.hsts, /max-age=/);
  }
  await stop();
});
