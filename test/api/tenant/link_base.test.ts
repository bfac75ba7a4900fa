// SPDX-License-Identifier: Apache-2.0
// Links in mails: made when the mail leaves, from the configuration of the
// server that sends it; where nobody has said how it is reached, none is made.
import assert from "node:assert/strict";
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { binary, Client, rule } from "../server.ts";

const dir = mkdtempSync(join(tmpdir(), "yagura-link-"));
const spool = join(dir, "spool");
mkdirSync(spool);
const options = ["--data_dir", join(dir, "data"), "--master_key", join(dir, "master.key"), "--mail_spool", spool];
const env = { ...process.env, ASAN_OPTIONS: "detect_leaks=0" };
const boss = { email: "boss@kou.example", password: "Daihyou-26" };
let child: ChildProcess;
let url: string;

async function serve(...words: string[]) {
  child = spawn(binary, ["serve", ...options, "--listen_plain", "127.0.0.1:0", ...words], { stdio: ["ignore", "pipe", "pipe"], env });
  url = await new Promise((resolve, reject) => {
    let log = "";
    const read = (data: Buffer) => {
      log += data;
      const found = [...log.matchAll(/listening .*port=(\d+).*/g)];
      if (found.length >= 2) resolve(`http://127.0.0.1:${found[1]![1]}`);
    };
    child.stdout!.on("data", read);
    child.stderr!.on("data", read);
    child.on("exit", () => reject(new Error(log)));
  });
}
async function stop() {
  const gone = new Promise((resolve) => child.on("exit", resolve));
  child.kill("SIGTERM");
  await gone;
}
after(() => {
  child?.kill("SIGKILL");
  rmSync(dir, { recursive: true, force: true });
});
const create = (id: string, ...words: string[]) =>
  spawnSync(binary, ["tenant", "create", id, "--name", "甲", "--admin-email", `boss@${id}.example`, "--admin-name", "代表", "--data_dir", join(dir, "data"), "--master_key", join(dir, "master.key"), ...words], { env, encoding: "utf8" });
const texts = (to: string) =>
  readdirSync(spool)
    .filter((name) => name.endsWith(".eml"))
    .map((name) => readFileSync(join(spool, name), "utf8"))
    .filter((raw) => raw.includes(`\r\nTo: <${to}>\r\n`))
    .map((raw) => Buffer.from(raw.slice(raw.indexOf("\r\n\r\n")), "base64").toString());
async function mailed(to: string, pattern: RegExp): Promise<string> {
  for (const end = Date.now() + 30_000; Date.now() < end; ) {
    for (const text of texts(to)) if (pattern.test(text)) return text.match(pattern)![1]!;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`no mail to ${to}: ${texts(to)}`);
}

test("the first invitation begins with what the server says, not with what the command knew", async () => {
  assert.equal(create("kou").status, 0, "the README's command: no base URL");
  assert.equal(create("otsu", "--base_url", "https://old.example.jp", "--host", "otsu.example.jp").status, 0);
  await serve("--listen", "127.0.0.1:0", "--base_url", "https://pm.example.jp");
  const link = await mailed(boss.email, /(https?:\S*\/link#\S+)/);
  assert.match(link, /^https:\/\/pm\.example\.jp\/t\/kou\/link#/);
  assert.match(await mailed("boss@otsu.example", /(https?:\S*\/link#\S+)/), /^https:\/\/otsu\.example\.jp\/link#/);
  for (const text of [...texts(boss.email), ...texts("boss@otsu.example")]) {
    assert.match(text, /テナント: 甲/, "named as people name it");
    assert.doesNotMatch(text, /テナント: (kou|otsu)/);
  }
  await stop();
});

test("a server that others reach, and that does not know its address, sends no link", async () => {
  await serve("--listen", "127.0.0.1:0", "--base_url", "http://localhost");
  const client = new Client(`${url}/t/kou`);
  const token = (await mailed(boss.email, /\/link#(\S+)/))!;
  assert.equal((await client.post("/links/accept", { token, password: boss.password })).status, 204);
  await client.post("/sign-in", boss);
  assert.equal((await client.post("/sign-in/code", { code: await mailed(boss.email, /\n {4}(\d{8})\n/) })).status, 200);
  await stop();
  await serve("--listen", "0.0.0.0:0");
  const there = new Client(`${url}/t/kou`);
  // cookies are Secure where the address is https, as it is guessed to be
  for (const [name, value] of client.cookies) there.cookies.set(name, value).set(`__Secure-${name}`, value);
  const refused = await there.post("/users", { email: "new@kou.example", name: "新人" });
  assert.deepEqual([refused.status, rule(refused)], [409, "base_url"], JSON.stringify(refused.body));
  assert.match(refused.body.errors[0].message, /base_url/);
  const command = create("hei");
  assert.notEqual(command.status, 0);
  assert.match(command.stderr, /base_url/);
  const reset = await new Client(`${url}/t/kou`).post("/password-reset", { email: boss.email });
  assert.equal(reset.status, 202, "which tells nobody anything");
  const before = texts(boss.email).length;
  await stop();
  await serve("--listen", "127.0.0.1:0", "--base_url", "https://new.example.jp:8443");
  for (;;) {
    const news = texts(boss.email);
    if (news.length > before) {
      assert.ok(news.some((text) => text.includes("https://new.example.jp:8443/t/kou/link#")), "what waited leaves with the address of now");
      break;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await stop();
});

test("a base URL that no link can begin with is refused at the start", () => {
  for (const bad of ["pm.example.jp", "https://", "https://pm.example.jp/app", "https://a b", "https://pm.example.jp:0", "https://pm.example.jp:99999", "https://pm.example.jp?x", "ftp://pm.example.jp", "https://[::1", "https://u@pm.example.jp"])
    assert.match(spawnSync(binary, ["config", "check", ...options, "--base_url", bad], { env, encoding: "utf8" }).stderr, /base_url is https/, bad);
  for (const good of ["https://pm.example.jp", "https://pm.example.jp/", "https://pm.example.jp:8443", "https://[2001:db8::1]:8443", "http://localhost"])
    assert.doesNotMatch(spawnSync(binary, ["config", "check", ...options, "--base_url", good], { env, encoding: "utf8" }).stderr, /base_url/, good);
});

