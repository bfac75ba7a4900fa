// SPDX-License-Identifier: Apache-2.0
// A relay that is not well: it hangs after accept or in the middle, refuses,
// trickles, drops the connection after DATA.  No mail is lost, each is
// delivered once it is well, and nothing else waits meanwhile.
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, renameSync, rmSync, statfsSync, unlinkSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, beforeEach, before, test } from "node:test";
import { binary } from "../server.ts";

type Mood = "well" | "silent" | "mid" | "busy" | "never" | "trickle" | "drop" | "swallow" | "late";
interface Mail {
  to: string;
  id: string;
}
let dir: string;
let relay: Relay;
let server: Awaited<ReturnType<typeof serve>>;
let data: string;
let ahead = 0;
let number = 0;

class Relay {
  mood: Mood = "well";
  /** Over these the relay hangs for as long as it likes. */
  slow = new Set<string>();
  attempts = 0;
  /** Each message whose last line came, taken or not. */
  seen: Mail[] = [];
  taken: Mail[] = [];
  /** "late": says yes when it is told to. */
  yes: (() => void)[] = [];
  port = 0;
  #server = net.createServer((socket) => this.#talk(socket));
  #sockets = new Set<net.Socket>();
  async open() {
    await new Promise<void>((resolve) => this.#server.listen(this.port, "127.0.0.1", resolve));
    this.port = (this.#server.address() as net.AddressInfo).port;
  }
  async close() {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server = net.createServer((socket) => this.#talk(socket));
  }
  #talk(socket: net.Socket) {
    const mood = this.mood;
    this.attempts++;
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket)).on("error", () => socket.destroy());
    const say = (line: string) => socket.write(`${line}\r\n`);
    if (mood === "silent") return;
    if (mood === "busy") return void (say("421 too busy"), socket.end());
    if (mood === "never") return void (say("554 no service here"), socket.end());
    if (mood === "trickle") {
      say("220-relay");
      const timer = setInterval(() => say("220-and so on"), 100);
      return void socket.on("close", () => clearInterval(timer));
    }
    say("220 relay");
    let [text, to, content] = ["", "", ""];
    let inData = false;
    socket.on("data", (chunk) => {
      text += chunk;
      for (let at = text.indexOf("\r\n"); at >= 0; at = text.indexOf("\r\n")) {
        const line = text.slice(0, at);
        text = text.slice(at + 2);
        if (inData && line !== ".") content += `${line}\n`;
        else if (inData) {
          inData = false;
          const mail = { to, id: content.match(/^Message-ID: <(.*)>$/m)![1]! };
          this.seen.push(mail);
          if (mood === "drop") return void socket.destroy();
          this.taken.push(mail);
          if (mood === "swallow") return void socket.destroy(); // taken, never said
          if (mood === "late") this.yes.push(() => say("250 taken"));
          else say("250 taken");
        } else if (line.startsWith("EHLO")) say("250 relay");
        else if (line.startsWith("RCPT")) {
          to = line.match(/<(.*)>/)![1]!;
          if (mood === "mid" || this.slow.has(to)) return;
          say("250 ok");
        } else if (line === "DATA") (inData = true), say("354 go on");
        else if (line === "QUIT") say("221 bye"), socket.end();
        else say("250 ok");
      }
    });
  }
}

const env = () => ({ ...process.env, ASAN_OPTIONS: "detect_leaks=0", YAGURA_TEST_CLOCK_FILE: join(dir, "offset"), YAGURA_TEST_LOOK_MS: "50" });
function moveTo(seconds: number) {
  ahead = seconds;
  writeFileSync(join(dir, "next"), String(seconds));
  renameSync(join(dir, "next"), join(dir, "offset"));
}
async function serve(steps: { step?: number; whole?: number } = {}) {
  let log = "";
  const child: ChildProcess = spawn(binary, [
    "serve", "--data-dir", data, "--listen", "127.0.0.1:0", "--smtp-host", "127.0.0.1", "--smtp-port", String(relay.port), "--smtp-security", "plain", "--smtp-from", "pm@example.jp",
  ], { env: { ...env(), YAGURA_TEST_SMTP_STEP_MS: String(steps.step ?? 300), YAGURA_TEST_SMTP_WHOLE_MS: String(steps.whole ?? 120_000) }, stdio: ["ignore", "ignore", "pipe"] });
  child.stderr!.on("data", (chunk) => (log += chunk));
  while (!/listening address/.test(log)) {
    assert.equal(child.exitCode, null, log);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return {
    log: () => log,
    stop: (signal: NodeJS.Signals = "SIGTERM") => new Promise<void>((resolve) => {
      if (child.exitCode !== null || child.signalCode !== null) return resolve();
      child.on("exit", () => resolve());
      child.kill(signal);
    }),
  };
}
async function until<T>(look: () => T | undefined | false | null): Promise<T> {
  for (const end = Date.now() + 30_000; ; ) {
    const found = look();
    if (found) return found;
    if (Date.now() > end) throw new Error(`never: ${look}\n${server.log()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
/** An invitation to the first person of a new tenant, or of one with others. */
function invite(): string {
  const id = `t${++number}`;
  execFileSync(binary, ["tenant", "create", id, "--name", id, "--admin-email", `${id}@example.jp`, "--admin-name", id, "--data-dir", data, "--base-url", "https://pm.example.jp"], { env: env(), stdio: ["ignore", "pipe", "pipe"] });
  return `${id}@example.jp`;
}
const takenBy = (to: string) => relay.taken.filter((mail) => mail.to === to);
const putOff = (why: RegExp) => until(() => new RegExp(`put off .*${why.source}`).test(server.log()));

before(() => (dir = mkdtempSync(join(tmpdir(), "yagura-relay-"))));
beforeEach(async () => {
  data = join(dir, `data-${number}`);
  moveTo(0);
  relay = new Relay();
  await relay.open();
  invite(); // makes the folder; its mail goes first
  server = await serve();
  await until(() => relay.taken.length);
});
afterEach(async () => {
  await server.stop("SIGKILL");
  await relay.close();
});
after(() => rmSync(dir, { recursive: true, force: true }));

const faults: [Mood, string, RegExp][] = [
  ["silent", "hangs after accept", /did not answer in time/],
  ["mid", "hangs in the middle", /did not answer in time/],
  ["busy", "says it is busy", /421 too busy/],
  ["never", "says that it takes nothing", /554 no service here/],
  ["drop", "drops the connection after DATA", /connection to the relay broke/],
];
for (const [mood, what, why] of faults)
  test(`a relay that ${what}: put off, delivered once when it is well`, async () => {
    relay.mood = mood;
    const to = invite();
    await putOff(why);
    assert.equal(takenBy(to).length, 0);
    relay.mood = "well";
    moveTo(ahead + 61);
    await until(() => takenBy(to).length);
    moveTo(ahead + 3600);
    await server.stop();
    server = await serve();
    const last = invite(); // when this one has gone, nothing is left to go
    await until(() => takenBy(last).length);
    assert.equal(takenBy(to).length, 1, "once");
    assert.deepEqual([...new Set(relay.seen.filter((mail) => mail.to === to).map((mail) => mail.id))], [takenBy(to)[0]!.id], "every try has the same Message-ID");
  });

test("a relay that is not there; a kill while it hangs: not lost either", async () => {
  await relay.close();
  const to = invite();
  await putOff(/cannot be reached/);
  relay.mood = "silent";
  await relay.open();
  const before_ = relay.attempts;
  moveTo(ahead + 61);
  await until(() => relay.attempts > before_);
  await server.stop("SIGKILL");
  relay.mood = "well";
  moveTo(ahead + 600);
  server = await serve();
  await until(() => takenBy(to).length);
  assert.equal(takenBy(to).length, 1);
});

test("what the relay took without saying so comes again under the same Message-ID", async () => {
  relay.mood = "swallow";
  const to = invite();
  await putOff(/connection to the relay broke/);
  relay.mood = "well";
  moveTo(ahead + 61);
  await until(() => takenBy(to).length === 2);
  assert.equal(new Set(takenBy(to).map((mail) => mail.id)).size, 1, "so that it can be told from another");
});

test("a relay that trickles for ever is left at the deadline of the whole", async () => {
  await server.stop();
  server = await serve({ step: 20_000, whole: 1000 });
  relay.mood = "trickle";
  const to = invite();
  await putOff(/did not answer in time/);
  relay.mood = "well";
  moveTo(ahead + 61);
  await until(() => takenBy(to).length);
});

test("taken by the relay on a disk that is full: not sent again each minute", { skip: process.getuid?.() !== 0 && "needs root to mount" }, async () => {
  await server.stop();
  const mount = mkdtempSync(join(tmpdir(), "yagura-full-"));
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=32m", "tmpfs", mount]);
  try {
    data = join(mount, "data");
    invite();
    server = await serve({ step: 20_000 });
    await until(() => relay.taken.length === 2);
    relay.mood = "late";
    const to = invite();
    await until(() => relay.yes.length);
    const { bavail, bsize } = statfsSync(mount);
    try {
      writeFileSync(join(mount, "ballast"), Buffer.alloc(bavail * bsize));
    } catch {
      // full all the same
    }
    for (const yes of relay.yes) yes();
    await until(() => /no space left/.test(server.log()));
    relay.mood = "well";
    for (let n = 1; n <= 5; n++) {
      moveTo(ahead + 61);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    assert.equal(takenBy(to).length, 1);
    unlinkSync(join(mount, "ballast"));
    const last = invite(); // others go on, and it is removed when there is room
    await until(() => takenBy(last).length);
    await new Promise((resolve) => setTimeout(resolve, 500));
    await server.stop();
    moveTo(ahead + 3600);
    server = await serve();
    const end = invite();
    await until(() => takenBy(end).length);
    assert.equal(takenBy(to).length, 1);
  } finally {
    await server.stop("SIGKILL");
    execFileSync("umount", ["-l", mount]);
    rmSync(mount, { recursive: true, force: true });
  }
});

test("while it hangs over one mail, the others go, and so do the clocks", async () => {
  await server.stop();
  const slow = invite();
  relay.slow.add(slow);
  relay.mood = "well";
  server = await serve({ step: 600_000, whole: 600_000 }); // longer than this test takes
  await until(() => relay.attempts > 1);
  const other = invite();
  await until(() => takenBy(other).length);
  // of the same customer too: what its administrator asks for at the sign-in
  relay.slow.delete(slow);
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0"; // made by itself at the start
  const port = server.log().match(/listening address=\S+ port=(\d+)/)![1];
  const asked = await fetch(`https://127.0.0.1:${port}/t/${slow.split("@")[0]}/api/v1/password-reset`, {
    method: "POST", headers: { "Content-Type": "application/json", "X-Req": "1" }, body: JSON.stringify({ email: slow }),
  });
  assert.ok(asked.status < 300, await asked.text());
  await until(() => takenBy(slow).length);
  // the doctor's own look at the relay hangs: the rest goes round all the same
  relay.mood = "silent";
  await server.stop("SIGKILL");
  const before_ = relay.attempts;
  server = await serve({ step: 600_000, whole: 600_000 });
  await until(() => relay.attempts >= before_ + 2); // the doctor, and the mail
  moveTo(ahead + 120);
  await until(() => /the clock moved seconds=1(19|20)\b/.test(server.log()));
  // and a stop does not wait for it
  const from = Date.now();
  await server.stop();
  assert.ok(Date.now() - from < 20_000, `stopped after ${Date.now() - from} ms`);
});
