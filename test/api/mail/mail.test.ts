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
import { binary } from "../server.ts";

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
  hello: string;
  secure: boolean;
  auth: string;
  from: string;
  to: string;
  data: string;
}
interface Relay {
  port: number;
  mails: Received[];
  /** Whom it refuses for good. */
  refused: Set<string>;
  next(): Promise<Received>;
  close(): void;
}

/** A relay as RFC 5321 has it, small. */
async function startRelay(mode: "tls" | "starttls" | "no_starttls"): Promise<Relay> {
  const mails: Received[] = [], refused = new Set<string>();
  const waiting: ((mail: Received) => void)[] = [];
  const key = readFileSync(join(dir, "relay.key"));
  const cert = readFileSync(join(dir, "relay.crt"));
  const talk = (socket: net.Socket, secure: boolean, greet: boolean) => {
    const mail: Received = { hello: "", secure, auth: "", from: "", to: "", data: "" };
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
        mail.hello = text.slice(5);
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
        // as postfix's reject_non_fqdn_helo_hostname: not before a recipient is named
        if (!/^[\w-]+(\.[\w-]+)+$/.test(mail.hello)) say(`504 5.5.2 <${mail.hello}>: Helo command rejected: need fully-qualified hostname`);
        else if (refused.has(mail.to)) say("550 5.1.1 no such mailbox here");
        else say("250 ok");
      } else if (word === "DATA") {
        inData = true;
        say("354 go on");
      } else if (word === "RSET") {
        say("250 ok");
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
    refused,
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
function serve(data: string, relay: { port: number }, security: string, ca = join(dir, "relay.crt"), more: string[] = []): ChildProcess & { log: () => string } {
  let log = "";
  const child = spawn(binary, [
    "serve", "--data-dir", data, "--listen", "127.0.0.1:0", "--smtp-host", "localhost", "--smtp-port", String(relay.port), "--smtp-security", security,
    "--smtp-from", "pm@example.jp", "--smtp-user", "pm", "--smtp-password-file", join(dir, "password"), "--smtp-ca", ca, ...more,
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
    const server = serve(createTenant(`data-${mode}`, "ja"), relay, mode, undefined, ["--base-url", "https://pm.example.jp"]);
    const mail = await relay.next();
    assert.equal(mail.secure, true);
    assert.equal(mail.auth, "pm relay-secret");
    assert.equal(mail.from, "<pm@example.jp>");
    assert.equal(mail.to, "<kanri@acme.example>");
    assert.equal(words(header(mail, "Subject")), "【櫓】ご招待：パスワードを設定してください");
    assert.match(body(mail), /管理 太郎 様/);
    assert.match(body(mail), /https:\/\/pm\.example\.jp\/t\/acme\/link#[\w-]{43}\n/);
    assert.match(header(mail, "Message-ID"), /^<[0-9a-f]{32}@pm\.example\.jp>$/, "the host of base_url");
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
  assert.match(header(mail, "Message-ID"), /^<[0-9a-f]{32}@example\.jp>$/, "without base_url the sender's host");
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
  assert.match(two.log(), /certificate is not accepted: no authority that is trusted signed it/);
  await stop(two);
  assert.equal(stranger.mails.length, 0);
  stranger.close();
});

const until = async <T>(look: () => T | undefined | false | null): Promise<T> => {
  for (let i = 0; i < 1500; i++) {
    const found = look();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error("did not come about");
};

test("the server greets and names its mails by the host of base_url, a strict relay takes them", async () => {
  for (const [name, base, host] of [["named", "https://pm.example.jp:8443", "pm.example.jp"], ["local", "https://localhost:8443", "example.jp"], ["number", "https://192.0.2.1", "example.jp"]] as const) {
    const relay = await startRelay("tls");
    const server = serve(createTenant(`data-hello-${name}`, "ja"), relay, "tls", undefined, ["--base-url", base]);
    const mail = await relay.next();
    assert.equal(mail.hello, host, base);
    assert.match(header(mail, "Message-ID"), new RegExp(`^<[0-9a-f]{32}@${host.replaceAll(".", "\\.")}>$`));
    await stop(server);
    relay.close();
  }
});

test("a refusal for good stands beside the person, until a mail is taken; doctor goes as far as a recipient", async () => {
  const relay = await startRelay("tls");
  relay.refused.add("<kanri@acme.example>");
  const data = createTenant("data-refused", "ja");
  const server = serve(data, relay, "tls");
  await until(() => /error mail given up id=\w+ err=550 5\.1\.1/.test(server.log()));
  const doctor = () =>
    new Promise<any>((resolve) => {
      let out = "";
      const child = spawn(binary, ["doctor", "--skip-updates", "--json", "--data-dir", data], { env });
      child.stdout.on("data", (part) => (out += part));
      child.on("close", () => resolve(Object.fromEntries(JSON.parse(out).findings.map((f: any) => [f.name, f]))));
    });
  let found = await doctor();
  assert.equal(found.mail.state, "good");
  assert.deepEqual([found.mail_refused?.state, /1 people \(of acme/.test(found.mail_refused?.text)], ["warning", true]);
  relay.refused.add("<pm@example.jp>"); // who is named while there is no operator
  found = await doctor();
  assert.equal(found.mail.state, "bad");
  assert.match(found.mail.text, /550 5\.1\.1 no such mailbox/);
  await stop(server);
  relay.close();
});
