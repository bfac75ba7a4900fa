// SPDX-License-Identifier: Apache-2.0
// The operator's console of an installed service: where it is, where it is
// not, and the first operator by the token of the first start.
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { binary } from "../server.ts";

let dir: string;
let child: ChildProcess;
let text = "";
let ports: string[];

async function start(words: string[], listeners: number) {
  text = "";
  const fixed = ["--data_dir", join(dir, "data"), "--master_key", join(dir, "master.key"), "--mail_spool", join(dir, "spool")];
  child = spawn(binary, ["serve", ...fixed, "--listen", "127.0.0.1:0", ...words], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ASAN_OPTIONS: "detect_leaks=0" },
  });
  await new Promise<void>((resolve, reject) => {
    const read = (data: Buffer) => {
      text += data;
      ports = [...text.matchAll(/listening .*port=(\d+)/g)].map(([, one]) => one!);
      if (ports.length >= listeners) resolve();
    };
    child.stdout!.on("data", read);
    child.stderr!.on("data", read);
    child.on("exit", () => reject(new Error(text)));
  });
}
const stop = () =>
  new Promise<void>((resolve) => {
    child.on("exit", () => resolve());
    child.kill("SIGTERM");
  });
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "yagura-console-"));
  mkdirSync(join(dir, "spool"));
});
afterEach(async () => {
  await stop();
  rmSync(dir, { recursive: true, force: true });
});

let cookie = "";
/** As a browser that was told this host name. */
const ask = (method: string, path: string, body?: object, host = "localhost") =>
  new Promise<{ status: number; headers: Record<string, any>; body: any }>((resolve, reject) => {
    const headers: Record<string, string> = { Host: `${host}:${ports[0]}`, Cookie: cookie };
    if (method !== "GET") headers["X-Req"] = "1";
    if (body) headers["Content-Type"] = "application/json";
    const sent = request(
      { host: "127.0.0.1", port: ports[0], method, path, headers, ca: readFileSync(join(dir, "data", "tls.crt")), checkServerIdentity: () => undefined },
      (reply) => {
        let data = "";
        reply.on("data", (part) => (data += part));
        reply.on("end", () => {
          for (const line of reply.headers["set-cookie"] ?? []) if (/^__Host-o=/.test(line)) cookie = line.split(";")[0]!;
          const json = reply.headers["content-type"]?.includes("json");
          resolve({ status: reply.statusCode!, headers: reply.headers, body: json && data ? JSON.parse(data) : data });
        });
      },
    );
    sent.on("error", reject);
    sent.end(body && JSON.stringify(body));
  });
/** The address that is printed with the token. */
async function setupAddress(): Promise<string> {
  for (;;) {
    const found = text.match(/^ {2}(http\S+\/operator\/setup)$/m)?.[1];
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
const api = (method: string, path: string, body?: object, host?: string) => ask(method, `/operator/api/v1${path}`, body, host);

async function mailed(pattern: RegExp): Promise<string> {
  for (;;) {
    for (const name of readdirSync(join(dir, "spool"))) {
      if (!name.endsWith(".eml")) continue;
      const mail = readFileSync(join(dir, "spool", name), "utf8");
      const found = Buffer.from(mail.slice(mail.indexOf("\r\n\r\n")), "base64").toString().match(pattern);
      if (found) return found[1]!;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test("the token of the first start makes the first operator, once", async () => {
  await start([], 1);
  const found = () => text.match(/^ {2}([\w-]{43})$/m)?.[1];
  while (!found()) await new Promise((resolve) => setTimeout(resolve, 20));
  const old = found()!;
  await stop();
  await start([], 1);
  while (!found()) await new Promise((resolve) => setTimeout(resolve, 20));
  const token = found()!;
  assert.notEqual(token, old);
  assert.equal(await setupAddress(), `https://localhost:${ports[0]}/operator/setup`);
  assert.equal((await ask("GET", "/operator/setup")).status, 200);

  assert.deepEqual((await api("GET", "/setup")).body, { needed: true });
  const me = { email: "ops@example.jp", name: "運用 一郎", password: "Unyou-2026" };
  assert.equal((await api("POST", "/setup", { ...me, token: old })).body.errors[0].rule, "token");
  assert.equal((await api("POST", "/setup", { ...me, token, password: "short" })).status, 422);
  assert.equal((await api("POST", "/setup", { ...me, token })).status, 204);
  assert.equal((await api("POST", "/setup", { ...me, token, email: "c@example.jp" })).body.errors[0].rule, "set_up");
  assert.deepEqual((await api("GET", "/setup")).body, { needed: false });

  assert.equal((await api("POST", "/sign-in", { email: me.email, password: me.password })).body.step, "code");
  const code = await mailed(/\n {4}(\d{8})\n/);
  const reply = await api("POST", "/sign-in/code", { code });
  assert.equal(reply.status, 200);
  const line = reply.headers["set-cookie"].find((item: string) => item.startsWith("__Host-o="));
  assert.match(line, /Path=\/;/i);
  for (const word of [/Secure/i, /HttpOnly/i, /SameSite=Strict/i]) assert.match(line, word);

  // the only tenant answers on any host; a second one, founded here, ends that
  const tenant = { id: "kou", name: "甲社", admin_email: "boss@kou.example", admin_name: "代表" };
  assert.equal((await ask("GET", "/api/v1/session")).status, 404);
  assert.equal((await api("POST", "/tenants", tenant)).status, 201);
  assert.equal((await ask("GET", "/api/v1/session")).status, 401);
  assert.equal((await api("POST", "/tenants", { ...tenant, id: "otsu", host: "otsu.example.jp" })).status, 201);
  assert.equal((await ask("GET", "/api/v1/session")).status, 404);
  assert.equal((await ask("GET", "/t/kou/api/v1/session")).status, 401);
  // a tenant's own host name has no console
  assert.equal((await api("GET", "/tenants", undefined, "otsu.example.jp")).status, 404);
  assert.match(text, /set up the first one/);
  await stop();
  await start([], 1);
  assert.doesNotMatch(text, /set up the first one/);
  assert.equal((await api("GET", "/tenants")).body.items.length, 2);
});

test("with a host name of its own the console is nowhere else", async () => {
  await start(["--operator_host", "ops.example.jp"], 1);
  assert.equal(await setupAddress(), `https://ops.example.jp:${ports[0]}/operator/setup`);
  assert.equal((await api("GET", "/setup", undefined, "ops.example.jp")).status, 200);
  assert.equal((await api("GET", "/setup", undefined, "pm.example.jp")).status, 404);
  assert.equal((await ask("GET", "/operator/", undefined, "pm.example.jp")).status, 404);
  const home = await ask("GET", "/", undefined, "ops.example.jp");
  assert.equal(home.status, 302);
  assert.equal(home.headers.location, "/operator/");
});

test("with a listener of its own the console is nowhere else", async () => {
  await start(["--operator_listen", "127.0.0.1:0"], 2);
  assert.equal((await api("GET", "/setup")).status, 404);
  assert.equal(await setupAddress(), `http://localhost:${ports[1]}/operator/setup`);
  assert.equal((await fetch(await setupAddress())).status, 200, "the address that is printed answers");
  const own = await fetch(`http://127.0.0.1:${ports[1]}/operator/api/v1/setup`);
  assert.deepEqual(await own.json(), { needed: true });
});
