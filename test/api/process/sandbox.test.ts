// SPDX-License-Identifier: Apache-2.0
// What a stranger could do who got control of the server: nothing that the
// server does not do.  The attempts are made by a program of the release's
// kind that enters the same sandbox; the server's own state is read from /proc.
import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { type Demo, removeDir, signedIn, startDemo } from "../server.ts";

const release = process.env.YAGURA_RELEASE ?? process.env.YAGURA ?? "build/yagura";
const probe = join(dirname(release), "release/test/base/escape_probe");
const dir = mkdtempSync(join(tmpdir(), "yagura-escape-"));
let demo: Demo;

before(async () => {
  demo = await startDemo(undefined, release);
});
after(async () => {
  await demo?.stop();
  if (demo) removeDir(demo);
  rmSync(dir, { recursive: true, force: true });
});

const attempt = (what: string) => {
  const ended = spawnSync(probe, [dir, what], { encoding: "utf8" });
  return ended.signal ?? ended.stdout.trim();
};

test("what the server does itself is allowed", () => {
  for (const what of ["open_etc", "write_inside", "thread", "draw"]) assert.equal(attempt(what), "ok", what);
  assert.equal(attempt("connect_allowed"), "Connection refused");
});

test("files outside are not opened, from any thread; nothing is linked out", () => {
  for (const what of ["open_var", "open_proc", "write_etc", "climb", "thread_opens"])
    assert.equal(attempt(what), "Permission denied", what);
  assert.equal(attempt("link_inside"), "Function not implemented");
});

test("other ports are neither connected to nor listened on", async () => {
  assert.equal(attempt("connect_denied"), "Permission denied");
  assert.equal(attempt("bind"), "Permission denied");
});

test("running, tracing and mounting end the process", () => {
  for (const what of ["execve", "ptrace", "mount"]) assert.equal(attempt(what), "SIGSYS", what);
});

test("other calls are unknown here; memory is never code", () => {
  for (const what of ["unknown_call", "fork", "chroot", "unshare", "setuid", "kill_parent"])
    assert.equal(attempt(what), "Function not implemented", what);
  for (const what of ["packet", "netlink"]) assert.match(attempt(what)!, /^Address family not supported/, what);
  assert.equal(attempt("code"), "Permission denied");
});

test("the sandbox measures itself", () => {
  assert.match(
    attempt("report")!,
    /keeps_files=1 keeps_ports=1 filters_calls=1 no_new_privs=1 has_capabilities=0 is_dumpable=0 has_cores=0/,
  );
});

/** One field of /proc/PID/task/TID/status for each thread. */
const fields = (pid: number, name: string) =>
  execFileSync("sh", ["-c", `grep -h '^${name}:' /proc/${pid}/task/*/status`], { encoding: "utf8" })
    .trim()
    .split("\n")
    .map((line) => line.split("\t")[1]);

test("every thread of the running server is in it", async () => {
  await (await signedIn(demo)).get("/programs");
  const pid = demo.process.pid!;
  for (const [name, value] of [["Seccomp", "2"], ["NoNewPrivs", "1"]] as const) {
    const found = fields(pid, name);
    assert.ok(found.length > 8, "threads");
    assert.deepEqual(new Set(found), new Set([value]), name);
  }
  const limits = readFileSync(`/proc/${pid}/limits`, "utf8");
  assert.match(limits, /Max core file size +0 +0/);
  // a name that the sandbox kept from its thread would be the program's
  const names = fields(pid, "Name");
  for (const name of ["access log", "caretaker", "backups", "doctor"]) assert.ok(names.includes(name), name);
  // of root's rights what is left is the one over files
  for (const caps of fields(pid, "CapEff")) assert.equal(BigInt(`0x${caps}`) & ~0xan, 0n);
});

test("started as root with a user, the server is that user for good", { skip: process.getuid!() !== 0 && "needs root" }, async () => {
  const own = mkdtempSync(join(tmpdir(), "yagura-user-"));
  chmodSync(own, 0o755);
  const data = join(own, "data");
  for (const name of ["data", "spool", "keys"]) mkdirSync(join(own, name));
  execFileSync("chown", ["-R", "nobody", own]);
  const child = spawn(
    release,
    ["serve", "--user", "nobody", "--data_dir", data, "--master_key", join(own, "keys/master.key"),
      "--mail_spool", join(own, "spool"), "--listen", "127.0.0.1:843", "--operator_listen", "127.0.0.1:0"],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  let log = "";
  try {
    await new Promise<void>((resolve, reject) => {
      child.stderr!.on("data", (text) => (log += text).split("listening ").length > 2 && resolve());
      child.on("exit", () => reject(new Error(log)));
    });
    const nobody = execFileSync("id", ["-u", "nobody"], { encoding: "utf8" }).trim();
    const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
    assert.match(status, new RegExp(`^Uid:\t${nobody}\t${nobody}\t${nobody}\t${nobody}$`, "m"));
    assert.match(status, /^CapPrm:\t0+$/m);
    assert.match(status, /^Groups:\t(?!.*\b0\b)/m);
    assert.doesNotMatch(log, /runs as root/);
    const owners = execFileSync("find", [own, "-user", "root"], { encoding: "utf8" });
    assert.equal(owners, "", "all files are the user's");
  } finally {
    const gone = new Promise((resolve) => child.on("exit", resolve));
    child.kill();
    await gone;
    rmSync(own, { recursive: true, force: true });
  }
});
