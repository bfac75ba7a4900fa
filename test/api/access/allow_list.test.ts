// SPDX-License-Identifier: Apache-2.0
// Source addresses: who is let in, who cannot lock himself out, and what a
// proxy may say of the client.
import assert from "node:assert/strict";
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type Answer, binary, Client, type Demo, removeDir, rule, signedIn, startDemo } from "../server.ts";

const dir = mkdtempSync(join(tmpdir(), "yagura-allow-"));
const spool = join(dir, "spool");
const options = ["--data_dir", join(dir, "data"), "--master_key", join(dir, "master.key"), "--mail_spool", spool];
const env = { ...process.env, ASAN_OPTIONS: "detect_leaks=0" };
const boss = { email: "boss@kou.example", password: "Daihyou-26" };
let demo: Demo;
let child: ChildProcess;
let url: string;

/** The service behind a proxy that is this machine, or behind none. */
async function serve(words: string[] = []) {
  child = spawn(binary, ["serve", ...options, "--listen", "127.0.0.1:0", "--listen_plain", "127.0.0.1:0", "--base_url", "http://localhost", ...words], {
    stdio: ["ignore", "pipe", "pipe"],
    env,
  });
  url = await new Promise((resolve, reject) => {
    let log = "";
    const read = (data: Buffer) => {
      log += data;
      const found = [...log.matchAll(/listening .*port=(\d+).*/g)];
      if (found.length >= 2) resolve(`http://127.0.0.1:${found[1]![1]}/t/kou`);
    };
    child.stdout!.on("data", read);
    child.stderr!.on("data", read);
    child.on("exit", () => reject(new Error(log)));
  });
}
async function restart(words: string[] = []) {
  const gone = new Promise((resolve) => child.on("exit", resolve));
  child.kill("SIGTERM");
  await gone;
  await serve(words);
}
const behindProxy = ["--trusted_proxies", "127.0.0.1/32 10.0.0.0/8"];

before(async () => {
  demo = await startDemo();
  mkdirSync(spool);
  execFileSync(binary, ["tenant", "create", "kou", "--name", "甲", "--admin-email", boss.email, "--admin-name", "代表", ...options], { env, stdio: "pipe" });
  await serve();
});
after(async () => {
  await demo.stop();
  removeDir(demo);
  child.kill("SIGKILL");
  rmSync(dir, { recursive: true, force: true });
});

const list = async (client: Client) => (await client.get("/security/addresses")).body;
const add = (client: Client, cidr: string, note = "", from = {}): Promise<Answer> => client.post("/security/addresses", { cidr, note }, from);

test("what is no range is refused with the reason; 10.0.0.0/33 too", async () => {
  const admin = await signedIn(demo, 0);
  const own = (await list(admin)).address;
  for (const cidr of ["10.0.0.0/33", "10.0.0.1/8", "2001:db8::/129", "example.jp", "10.0.0/8", "::ffff:10.0.0.0/200", "0.0.0.0/00"]) {
    const reply = await add(admin, cidr);
    assert.deepEqual([reply.status, rule(reply), reply.body.errors[0].field], [422, "cidr", "cidr"], cidr);
    assert.match(reply.body.errors[0].message, /0～32|0〜32/);
  }
  assert.deepEqual((await list(admin)).items, []);
  assert.ok(["127.0.0.1", "::1"].includes(own));
});

test("nobody shuts himself out: neither by adding nor by removing", async () => {
  const admin = await signedIn(demo, 0);
  const own: string = (await list(admin)).address;
  const shut = await add(admin, "203.0.113.0/24", "本社");
  assert.deepEqual([shut.status, rule(shut)], [409, "locks_out"]);
  assert.ok(shut.body.errors[0].message.includes(own), "it names the address");
  assert.deepEqual((await list(admin)).items, []);
  const mine = await add(admin, own, "この机");
  assert.equal(mine.status, 201, JSON.stringify(mine.body));
  assert.match(mine.body.cidr, /\/(32|128)$/);
  const office = await add(admin, "203.0.113.0/24", "本社");
  assert.equal(office.status, 201);
  assert.equal(rule(await add(admin, "203.0.113.0/24")), "taken");
  assert.equal(rule(await admin.delete(`/security/addresses/${mine.body.id}`)), "locks_out");
  assert.equal((await list(admin)).items.length, 2);
  const log = (await admin.get("/operations?kind=allowed_address")).body.items[0];
  assert.deepEqual([log.action, log.object_name, log.after.note], ["create", "203.0.113.0/24", "本社"]);
  assert.equal((await admin.delete(`/security/addresses/${office.body.id}`)).status, 204);
  assert.equal((await admin.delete(`/security/addresses/${mine.body.id}`)).status, 204, "an empty list lets everybody in");
  assert.equal((await admin.delete(`/security/addresses/${mine.body.id}`)).status, 404);
});

test("only who looks after security sees or changes it", async () => {
  const member = await signedIn(demo, 3);
  assert.equal((await member.get("/security/addresses")).status, 403);
  assert.equal((await add(member, "0.0.0.0/0")).status, 403);
});

/** The newest mail in the spool that matches. */
async function mailed(pattern: RegExp, seen: Set<string>): Promise<string> {
  for (;;) {
    for (const name of readdirSync(spool).filter((n) => n.endsWith(".eml") && !seen.has(n))) {
      const raw = readFileSync(join(spool, name), "utf8");
      const match = Buffer.from(raw.slice(raw.indexOf("\r\n\r\n")), "base64").toString().match(pattern);
      if (match) return match[1]!;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
let bossClient: Client;
const from = (ip: string) => ({ "X-Forwarded-For": ip });
const statusFrom = async (chain: string) => (await bossClient.get("/session", from(chain))).status;

test("without a trusted proxy X-Forwarded-For is air", async () => {
  const client = new Client(url);
  await client.post("/links/accept", { token: await mailed(/\/link#(\S+)/, new Set()), password: boss.password });
  const seen = new Set(readdirSync(spool));
  assert.equal((await client.post("/sign-in", boss)).status, 200);
  assert.equal((await client.post("/sign-in/code", { code: await mailed(/\n {4}(\d{8})\n/, seen) })).status, 200);
  bossClient = client;
  assert.equal((await client.get("/security/addresses", from("192.0.2.7"))).body.address, "127.0.0.1");
  assert.equal((await add(client, "127.0.0.1")).status, 201);
  assert.equal(await statusFrom("192.0.2.7"), 200, "judged by where it really comes from");
});

test("behind a trusted proxy the list is held against the real client", async () => {
  await restart(behindProxy);
  bossClient = Object.assign(new Client(url), { cookies: bossClient.cookies });
  assert.equal((await add(bossClient, "192.0.2.0/24", "支社")).status, 201);
  assert.equal((await add(bossClient, "2001:db8::/32")).status, 201);
  assert.equal(await statusFrom("192.0.2.7"), 200);
  assert.equal(await statusFrom("::ffff:192.0.2.7"), 200, "the other way to write it");
  assert.equal(await statusFrom("2001:db8:1::7"), 200);
  const refused = await bossClient.get("/session", from("198.51.100.9"));
  assert.deepEqual([refused.status, rule(refused)], [403, "address"]);
  assert.match(refused.headers.get("content-type")!, /problem\+json/);
  assert.doesNotMatch(JSON.stringify(refused.body), /甲|kou|192\.0\.2|代表/);
  for (const path of ["/programs", "/security/addresses", "/password-policy"])
    assert.equal(rule(await bossClient.get(path, from("198.51.100.9"))), "address", path);
  const knock = await new Client(url).post("/sign-in", boss, from("198.51.100.9"));
  assert.equal(rule(knock), "address", "nor can anybody try passwords from there");
});

test("what stands left of the first stranger is his claim; 40 hops are walked", async () => {
  assert.equal(await statusFrom("192.0.2.7, 198.51.100.9"), 403, "a forged first hop");
  assert.equal(await statusFrom("198.51.100.9, 192.0.2.7"), 200);
  const hops = Array.from({ length: 39 }, (_, i) => `10.1.2.${i}`).join(", ");
  assert.equal(await statusFrom(`192.0.2.7, ${hops}`), 200, "39 proxies of ours");
  assert.equal(await statusFrom(`198.51.100.9, ${hops}`), 403);
  const strangers = Array.from({ length: 39 }, (_, i) => `198.51.100.${i}`).join(", ");
  assert.equal(await statusFrom(`192.0.2.7, ${strangers}`), 403);
  assert.equal(await statusFrom("192.0.2.7, garbage"), 200, "ends the walk at the proxy, which is on the list");
});

test("a token from an address off the list is refused like its owner", async () => {
  const { version } = (await bossClient.get("/security", from("192.0.2.7"))).body;
  await bossClient.request("PATCH", "/security", { tokens: true }, { "If-Match": `"${version}"`, ...from("192.0.2.7") });
  const { token } = (await bossClient.post("/me/tokens", { name: "集計", days: 1 }, from("192.0.2.7"))).body;
  const by = (ip: string) => new Client(url).get("/programs", { Authorization: `Bearer ${token}`, ...from(ip) });
  assert.equal((await by("192.0.2.7")).status, 200);
  const refused = await by("198.51.100.9");
  assert.deepEqual([refused.status, rule(refused)], [403, "address"]);
});

test("a removed range is shut at once, also for who is signed in", async () => {
  const branch = (await list(bossClient)).items.find((r: any) => r.note === "支社");
  assert.equal(await statusFrom("192.0.2.7"), 200);
  assert.equal((await bossClient.delete(`/security/addresses/${branch.id}`)).status, 204);
  assert.equal(await statusFrom("192.0.2.7"), 403);
});

test("a refusal is in the access log, with where it came from", async () => {
  const rows = (await bossClient.get("/accesses?limit=200")).body.items;
  const refused = rows.filter((r: any) => r.ip === "198.51.100.9");
  assert.ok(refused.length >= 4, JSON.stringify(rows[0]));
  assert.ok(refused.every((r: any) => r.status === 403));
});

test("the operator opens a tenant that shut itself out, while the server runs", async () => {
  const said = execFileSync(binary, ["tenant", "clear-allow-list", "kou", ...options], { env, stdio: "pipe" }).toString();
  assert.match(said, /2 ranges removed/);
  assert.equal(await statusFrom("198.51.100.9"), 200);
  const log = (await bossClient.get("/operations?kind=allowed_address&action=delete")).body.items;
  assert.equal(log.length, 3, "each range, with the system's name");
});
