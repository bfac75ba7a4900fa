// SPDX-License-Identifier: Apache-2.0
// What systemd sees: ready, alive, reloading, stopping; sockets and secrets it
// hands over; and what SIGHUP changes.
import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync, type ChildProcess } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createConnection, type Socket } from "node:net";
import { connect } from "node:tls";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { binary } from "../server.ts";

const dir = mkdtempSync(join(tmpdir(), "yagura-unit-"));
const env = { ...process.env, ASAN_OPTIONS: "detect_leaks=0" };
after(() => rmSync(dir, { recursive: true, force: true }));

/** Node has no datagram sockets of this kind; Perl is on every Debian. */
const listener = `
use Socket;
$| = 1;
socket(S, AF_UNIX, SOCK_DGRAM, 0) && bind(S, pack_sockaddr_un($ARGV[0])) or die $!;
print "bound\\n";
while (defined recv(S, my $said, 512, 0)) { $said =~ s/\\n/;/g; print "$said\\n"; }
`;

/** A child whose output is waited for. */
class Run {
  text = "";
  readonly child: ChildProcess;
  constructor(program: string, words: string[], more: Record<string, string> = {}) {
    this.child = spawn(program, words, { env: { ...env, ...more }, stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [this.child.stdout!, this.child.stderr!]) stream.on("data", (data) => (this.text += data));
  }
  async until(pattern: RegExp): Promise<RegExpMatchArray> {
    for (;;) {
      const found = this.text.match(pattern);
      if (found) return found;
      if (this.child.exitCode !== null) throw new Error(`ended with ${this.child.exitCode}: ${this.text}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
  end(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    return new Promise((resolve) => {
      if (this.child.exitCode !== null || this.child.signalCode !== null) return resolve();
      this.child.on("exit", () => resolve());
      this.child.kill(signal);
    });
  }
}

const conf = join(dir, "yagura.conf");
const write = (lines: Record<string, string>) =>
  writeFileSync(conf, Object.entries(lines).map(([k, v]) => `${k} = ${v}\n`).join(""));
const base = { data_dir: join(dir, "data"), master_key: join(dir, "master.key"), listen: "127.0.0.1:0" };

test("ready, alive while it answers, reloading, stopping", async () => {
  const path = join(dir, "notify");
  const systemd = new Run("perl", ["-e", listener, path]);
  await systemd.until(/bound/);
  write({ ...base, mail_spool: dir });
  const server = new Run(binary, ["serve", "--config", conf], { NOTIFY_SOCKET: path, WATCHDOG_USEC: "400000" });
  try {
    await systemd.until(/READY=1/);
    await systemd.until(/WATCHDOG=1\n(?:.*\n)*?WATCHDOG=1/);
    server.child.kill("SIGHUP");
    await systemd.until(/RELOADING=1;MONOTONIC_USEC=\d+\n(?:.*\n)*?READY=1/);
    await server.end();
    await systemd.until(/STOPPING=1/);
    assert.doesNotMatch(server.text, /watchdog: the server did not answer/);
  } finally {
    await server.end("SIGKILL");
    await systemd.end("SIGKILL");
  }
});

test("a server whose threads are all held is not called alive", async () => {
  const path = join(dir, "notify-held");
  const systemd = new Run("perl", ["-e", listener, path]);
  await systemd.until(/bound/);
  write({ ...base, mail_spool: dir, threads: "1" });
  const server = new Run(binary, ["serve", "--config", conf], { NOTIFY_SOCKET: path, WATCHDOG_USEC: "6000000" });
  const silent: Socket[] = [];
  try {
    await systemd.until(/READY=1/);
    const port = (await server.until(/listening .*port=(\d+)/))[1];
    for (let n = 0; n < 8; n++) silent.push(createConnection({ port: Number(port), host: "127.0.0.1" }).on("error", () => {}));
    await server.until(/watchdog: the server did not answer itself/);
  } finally {
    for (const socket of silent) socket.destroy();
    await server.end("SIGKILL");
    await systemd.end("SIGKILL");
  }
});

test("a watchdog meant for another process is left alone", async () => {
  const path = join(dir, "notify-other");
  const systemd = new Run("perl", ["-e", listener, path]);
  await systemd.until(/bound/);
  const server = new Run(binary, ["serve", "--config", conf], { NOTIFY_SOCKET: path, WATCHDOG_USEC: "1000", WATCHDOG_PID: "1" });
  try {
    await systemd.until(/READY=1/);
    await server.end();
    await systemd.until(/STOPPING=1/);
    assert.doesNotMatch(systemd.text, /WATCHDOG=1/);
  } finally {
    await server.end("SIGKILL");
    await systemd.end("SIGKILL");
  }
});

/** Opens a socket, says its port, becomes the server: as systemd does. */
const activator = `
use Socket; use POSIX;
$| = 1; $^F = 9; # descriptors up to 9 survive exec
socket(S, AF_INET, SOCK_STREAM, 0) && bind(S, pack_sockaddr_in(0, INADDR_LOOPBACK)) && listen(S, 8) or die $!;
print "port=", (unpack_sockaddr_in getsockname S)[0], ";\\n";
dup2(fileno(S), 3);
@ENV{qw(LISTEN_PID LISTEN_FDS YAGURA_LISTEN)} = ($$, 1, "127.0.0.1:" . (unpack_sockaddr_in getsockname S)[0]);
exec @ARGV;
`;

test("a socket that systemd holds is taken over", async () => {
  write({ ...base, mail_spool: dir });
  const server = new Run("perl", ["-e", activator, binary, "serve", "--config", conf]);
  try {
    const port = (await server.until(/port=(\d+);/))[1];
    assert.equal((await server.until(/listening .*port=(\d+)/))[1], port);
    const name = await new Promise<string>((resolve, reject) => {
      const socket = connect({ port: Number(port), host: "127.0.0.1", rejectUnauthorized: false }, () => {
        resolve(String(socket.getPeerCertificate().subject.CN));
        socket.destroy();
      });
      socket.on("error", reject);
    });
    assert.equal(name, "Yagura");
  } finally {
    await server.end();
  }
});

test("secrets come from systemd's credentials, and before files", async () => {
  const credentials = join(dir, "credentials");
  mkdirSync(credentials);
  writeFileSync(join(credentials, "master-key"), readFileSync(join(dir, "master.key")));
  chmodSync(join(credentials, "master-key"), 0o440); // as an access list shows
  writeFileSync(join(credentials, "smtp-password"), "canary-4711\n", { mode: 0o440 });
  writeFileSync(join(credentials, "backup_s3_secret"), "canary-4712\n");
  chmodSync(join(credentials, "backup_s3_secret"), 0o440);
  const bucket = { backup_s3_endpoint: "https://127.0.0.1:9", backup_s3_bucket: "copies", backup_s3_region: "jp", backup_s3_key_id: "k", backup_region: "jp" };
  write({ ...base, ...bucket, master_key: join(dir, "nowhere.key"), smtp_host: "127.0.0.1", smtp_from: "a@example.jp", smtp_user: "a" });
  const without = new Run(binary, ["serve", "--config", conf]);
  await assert.rejects(without.until(/listening /));
  assert.match(without.text, /smtp_user needs smtp_password_file/);
  const server = new Run(binary, ["serve", "--config", conf], { CREDENTIALS_DIRECTORY: credentials });
  try {
    await server.until(/listening /);
    assert.doesNotMatch(server.text, /canary/);
  } finally {
    await server.end();
  }
});

test("SIGHUP takes over mail settings and the log's level; says what it cannot", async () => {
  write({ ...base, smtp_host: "127.0.0.1", smtp_port: "2525", smtp_from: "a@example.jp" });
  const server = new Run(binary, ["serve", "--config", conf]);
  try {
    await server.until(/listening /);
    write({ ...base, smtp_host: "localhost", smtp_port: "2525", smtp_from: "b@example.jp", threads: "64" });
    server.child.kill("SIGHUP");
    await server.until(/configuration read again/);
    await server.until(/threads changed, which takes a restart/);
    write({ ...base, smtp_host: "localhost", smtp_port: "2526", smtp_from: "b@example.jp" });
    server.child.kill("SIGHUP");
    await server.until(/smtp_port=2526 needs a restart/);
    write({ ...base, smtp_host: "localhost", smtp_from: "b@example.jp", log_level: "loud" });
    server.child.kill("SIGHUP");
    await server.until(/not taken over: the one in use stays/);
    write({ ...base, smtp_host: "localhost", smtp_port: "2525", smtp_from: "b@example.jp", log_level: "error" });
    const before = server.text.length;
    server.child.kill("SIGHUP");
    await server.end();
    assert.doesNotMatch(server.text.slice(before), / info stopping/);
  } finally {
    await server.end("SIGKILL");
  }
});

/** The command that the unit's ExecReload is. */
const reload = () => {
  const ended = spawnSync(binary, ["reload", "--config", conf], { encoding: "utf8", env });
  return [ended.status, ended.stderr.trim()];
};

test("a reload reads what it names wherever that lies, replaced by rename too, and tells by its status", async () => {
  // nothing of this is below /etc; the credential is written by another mount
  const place = (name: string) => {
    const path = join(dir, "places", name);
    mkdirSync(path, { recursive: true });
    return path;
  };
  const password = join(place("mail"), "password"), credentials = place("credentials");
  const replace = (path: string, text: string) => {
    writeFileSync(`${path}.new`, text, { mode: 0o400 });
    renameSync(`${path}.new`, path);
  };
  const lines = { ...base, smtp_host: "127.0.0.1", smtp_from: "a@example.jp", smtp_user: "a", smtp_password_file: password };
  const replaceConf = (more: Record<string, string>) => {
    write({ ...lines, ...more });
    replace(conf, readFileSync(conf, "utf8"));
  };
  replace(password, "first\n");
  write(lines);
  assert.match(String(reload()[1]), /no server runs/);
  for (const more of [{}, { CREDENTIALS_DIRECTORY: credentials }] as Record<string, string>[]) {
    if (more.CREDENTIALS_DIRECTORY) {
      writeFileSync(join(credentials, "smtp-password"), "canary\n", { mode: 0o400 });
      rmSync(password); // goes before the file, which is not asked for
    }
    const server = new Run(binary, ["serve", "--config", conf], more);
    try {
      await server.until(/listening /);
      if (!more.CREDENTIALS_DIRECTORY) replace(password, "second\n");
      replaceConf({ smtp_from: "b@example.jp" });
      assert.deepEqual(reload(), [0, ""], server.text);
      replaceConf({ smtp_from: "c@example.jp" });
      assert.deepEqual(reload(), [0, ""], server.text);
      for (const wrong of [{ log_level: "loud" }, { smtp_port: "2526" }, { smtp_ca: "/root/nowhere/ca.pem" }] as Record<string, string>[]) {
        replaceConf(wrong);
        const [status, said] = reload();
        assert.equal(status, 1, JSON.stringify(wrong));
        assert.match(String(said), /not taken over/);
      }
      replaceConf({});
      assert.deepEqual(reload(), [0, ""], server.text);
    } finally {
      await server.end();
    }
    write(lines);
  }
});

test("SIGHUP shows the new certificate; a broken one leaves the old in use", async () => {
  const cert = join(dir, "own.crt"), key = join(dir, "own.key");
  const make = (name: string) =>
    execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
      "-subj", `/CN=${name}`, "-days", "2", "-keyout", key, "-out", cert], { stdio: "pipe" });
  make("first");
  write({ ...base, mail_spool: dir, cert, cert_key: key });
  const server = new Run(binary, ["serve", "--config", conf]);
  const shown = async (port: string) =>
    new Promise<string>((resolve, reject) => {
      const socket = connect({ port: Number(port), host: "127.0.0.1", rejectUnauthorized: false }, () => {
        resolve(String(socket.getPeerCertificate().subject.CN));
        socket.destroy();
      });
      socket.on("error", reject);
    });
  try {
    const port = (await server.until(/listening .*port=(\d+)/))[1]!;
    assert.equal(await shown(port), "first");
    make("second");
    server.child.kill("SIGHUP");
    await server.until(/certificate read again/);
    assert.equal(await shown(port), "second");
    writeFileSync(cert, "broken");
    server.child.kill("SIGHUP");
    await server.until(/the one in use stays/);
    assert.equal(await shown(port), "second");
  } finally {
    await server.end();
  }
});

test("a second server on the same directory is refused by the first one's number", async () => {
  write({ ...base, mail_spool: dir });
  const first = new Run(binary, ["serve", "--config", conf]);
  try {
    await first.until(/listening /);
    const second = new Run(binary, ["serve", "--config", conf]);
    await assert.rejects(second.until(/listening /));
    assert.match(second.text, new RegExp(`is in use by process ${first.child.pid}\\b`));
  } finally {
    await first.end();
  }
});
