// SPDX-License-Identifier: Apache-2.0
// Mail through a relay that speaks SMTP: TLS, STARTTLS and AUTH, what happens
// while it is down, and what a dishonest one gets.
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import tls from "node:tls";
import { binary } from "./server.ts";

let dir: string;
before(() => {
  dir = mkdtempSync(join(tmpdir(), "yagura-mail-"));
  execFileSync("openssl", [
    "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=localhost",
    "-addext", "subjectAltName=DNS:localhost", "-keyout", join(dir, "relay.key"), "-out", join(dir, "relay.crt"),
  ], { stdio: "ignore" });
  writeFileSync(join(dir, "password"), "relay-secret\n", { mode: 0o400 });
});
after(() => rmSync(dir, { recursive: true, force: true }));

interface Received {
  secure: boolean;
  auth: string;
  from: string;
  to: string;
  data: string;
}
interface Relay {
  port: number;
  mails: Received[];
  next(): Promise<Received>;
  close(): void;
}

/** A relay as RFC 5321 has it, small. */
async function startRelay(mode: "tls" | "starttls" | "no_starttls"): Promise<Relay> {
  const mails: Received[] = [];
  const waiting: ((mail: Received) => void)[] = [];
  const key = readFileSync(join(dir, "relay.key"));
  const cert = readFileSync(join(dir, "relay.crt"));
  const talk = (socket: net.Socket, secure: boolean, greet: boolean) => {
    const mail: Received = { secure, auth: "", from: "", to: "", data: "" };
    let buffer = "";
    let inData = false;
    const say = (line: string) => socket.write(`${line}\r\n`);
    const line = (text: string) => {
      const word = text.toUpperCase();
      if (inData) {
        if (text !== ".") return void (mail.data += `${text.replace(/^\./, "")}\r\n`);
        inData = false;
        say("250 taken");
        mails.push(mail);
        waiting.shift()?.(mail);
      } else if (word.startsWith("EHLO")) {
        say("250-relay");
        if (mode === "starttls" && !secure) say("250-STARTTLS");
        say(secure ? "250 AUTH PLAIN LOGIN" : "250 8BITMIME");
      } else if (word === "STARTTLS" && mode === "starttls") {
        say("220 go");
        socket.removeAllListeners("data");
        const safe = new tls.TLSSocket(socket, { isServer: true, key, cert });
        safe.on("error", () => socket.destroy());
        talk(safe, true, false);
      } else if (word.startsWith("AUTH PLAIN ")) {
        mail.auth = Buffer.from(text.slice(11), "base64").toString().replaceAll("\0", " ").trim();
        say("235 welcome");
      } else if (word.startsWith("MAIL FROM:")) {
        mail.from = text.slice(10);
        say("250 ok");
      } else if (word.startsWith("RCPT TO:")) {
        mail.to = text.slice(8);
        say("250 ok");
      } else if (word === "DATA") {
        inData = true;
        say("354 go on");
      } else if (word === "QUIT") {
        say("221 bye");
        socket.end();
      } else say("500 what?");
    };
    socket.on("error", () => socket.destroy());
    socket.on("data", (chunk) => {
      buffer += chunk.toString("latin1");
      for (let at = buffer.indexOf("\r\n"); at >= 0; at = buffer.indexOf("\r\n")) {
        const text = buffer.slice(0, at);
        buffer = buffer.slice(at + 2);
        line(text);
      }
    });
    if (greet) say("220 relay");
  };
  const server = mode === "tls"
    ? tls.createServer({ key, cert }, (socket) => talk(socket, true, true))
    : net.createServer((socket) => talk(socket, false, true));
  server.on("tlsClientError", () => {});
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as net.AddressInfo).port,
    mails,
    next: () => new Promise((resolve) => (mails.length ? resolve(mails.at(-1)!) : waiting.push(resolve))),
    close: () => server.close(),
  };
}

const env = { ...process.env, ASAN_OPTIONS: "detect_leaks=0" };
function createTenant(name: string, lang: string): string {
  const data = join(dir, name);
  execFileSync(binary, [
    "tenant", "create", "acme", "--name", "株式会社アクメ", "--admin-email", "kanri@acme.example", "--admin-name", "管理 太郎",
    "--lang", lang, "--data-dir", data, "--base-url", "https://pm.example.jp",
  ], { env, stdio: ["ignore", "pipe", "pipe"] });
  return data;
}
function serve(data: string, relay: { port: number }, security: string, ca = join(dir, "relay.crt")): ChildProcess & { log: () => string } {
  let log = "";
  const child = spawn(binary, [
    "serve", "--data-dir", data, "--listen", "127.0.0.1:0", "--smtp-host", "localhost", "--smtp-port", String(relay.port), "--smtp-security", security,
    "--smtp-from", "pm@example.jp", "--smtp-user", "pm", "--smtp-password-file", join(dir, "password"), "--smtp-ca", ca,
  ], { env, stdio: ["ignore", "ignore", "pipe"] });
  child.stderr!.on("data", (chunk) => (log += chunk));
  return Object.assign(child, { log: () => log });
}
const stop = (child: ChildProcess) =>
  new Promise<void>((resolve) => {
    if (child.exitCode !== null) return resolve();
    child.on("exit", () => resolve());
    child.kill();
  });
const header = (mail: Received, name: string) => {
  const head = mail.data.slice(0, mail.data.indexOf("\r\n\r\n")).replace(/\r\n[ \t]+/g, " ");
  return head.match(new RegExp(`^${name}: (.*)$`, "m"))?.[1] ?? "";
};
const decoded = (text: string) =>
  text.replace(/=\?UTF-8\?B\?([^?]*)\?=/g, (_, b) => Buffer.from(b, "base64").toString("latin1")).replace(/ /g, "");
const words = (text: string) => Buffer.from(decoded(text), "latin1").toString();
const body = (mail: Received) => Buffer.from(mail.data.slice(mail.data.indexOf("\r\n\r\n")), "base64").toString();

for (const mode of ["tls", "starttls"] as const)
  test(`an invitation goes through ${mode} with AUTH`, async () => {
    const relay = await startRelay(mode);
    const server = serve(createTenant(`data-${mode}`, "ja"), relay, mode);
    const mail = await relay.next();
    assert.equal(mail.secure, true);
    assert.equal(mail.auth, "pm relay-secret");
    assert.equal(mail.from, "<pm@example.jp>");
    assert.equal(mail.to, "<kanri@acme.example>");
    assert.equal(words(header(mail, "Subject")), "【櫓】ご招待：パスワードを設定してください");
    assert.match(body(mail), /管理 太郎 様/);
    assert.match(body(mail), /https:\/\/pm\.example\.jp\/t\/acme\/link#[\w-]{43}\n/);
    assert.match(header(mail, "Message-ID"), /^<[0-9a-f]{32}@yagura>$/);
    assert.match(header(mail, "Date"), /\+0900$/);
    for (const l of mail.data.split("\r\n")) assert.ok(l.length <= 998 && /^[\x20-\x7e\t]*$/.test(l), l);
    await stop(server);
    relay.close();
    assert.doesNotMatch(server.log(), /relay-secret/);
  });

test("mail waits for a relay that is down, and for the next start; English words for who reads English", async () => {
  const data = createTenant("data-late", "en");
  const relay = await startRelay("tls"); // not there while the tenant was made
  const server = serve(data, relay, "tls");
  const mail = await relay.next();
  assert.equal(words(header(mail, "Subject")), "[Yagura]Youareinvited:setyourpassword");
  await stop(server);
  const again = serve(data, relay, "tls");
  await new Promise((resolve) => again.stderr!.once("data", resolve));
  await stop(again);
  assert.equal(relay.mails.length, 1, "sent once");
  relay.close();
});

test("a relay without STARTTLS, or with an unknown certificate, gets neither password nor mail", async () => {
  const plain = await startRelay("no_starttls");
  const one = serve(createTenant("data-plain", "ja"), plain, "starttls");
  await new Promise<void>((resolve) => one.stderr!.on("data", () => /put off/.test(one.log()) && resolve()));
  assert.match(one.log(), /STARTTLS/);
  await stop(one);
  assert.equal(plain.mails.length, 0);
  plain.close();
  const stranger = await startRelay("tls");
  const two = serve(createTenant("data-stranger", "ja"), stranger, "tls", "/etc/ssl/certs/ca-certificates.crt");
  await new Promise<void>((resolve) => two.stderr!.on("data", () => /put off/.test(two.log()) && resolve()));
  assert.match(two.log(), /certificate/);
  await stop(two);
  assert.equal(stranger.mails.length, 0);
  stranger.close();
});
