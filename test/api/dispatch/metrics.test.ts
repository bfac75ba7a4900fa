// SPDX-License-Identifier: Apache-2.0
// Figures for Prometheus on the operator's listener, and threads that grow
// with what is asked of them.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { binary } from "../server.ts";

let dir: string;
let child: ChildProcess;
let port: number;
before(async () => {
  dir = mkdtempSync(join(tmpdir(), "yagura-metrics-"));
  mkdirSync(join(dir, "spool"));
  const fixed = ["--data_dir", join(dir, "data"), "--master_key", join(dir, "master.key"), "--mail_spool", join(dir, "spool"), "--backup_copy_dir", join(dir, "missing"), "--backup_region", "jp"];
  child = spawn(binary, ["serve", ...fixed, "--listen", "127.0.0.1:0", "--operator_listen", "127.0.0.1:0"], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ASAN_OPTIONS: "detect_leaks=0" },
  });
  port = await new Promise<number>((resolve, reject) => {
    let text = "";
    const read = (data: Buffer) => {
      text += data;
      const ports = [...text.matchAll(/listening .*port=(\d+)/g)].map(([, one]) => Number(one));
      if (ports.length >= 2) resolve(ports[1]!);
    };
    child.stdout!.on("data", read);
    child.stderr!.on("data", read);
    child.on("exit", () => reject(new Error(text)));
  });
});
after(async () => {
  const ended = new Promise((resolve) => child.on("exit", resolve));
  child.kill("SIGTERM");
  await ended;
  rmSync(dir, { recursive: true, force: true });
});
async function figures(): Promise<Map<string, number>> {
  const reply = await fetch(`http://127.0.0.1:${port}/metrics`);
  assert.equal(reply.status, 200);
  assert.match(reply.headers.get("content-type")!, /^text\/plain; version=0\.0\.4/);
  const lines = (await reply.text()).split("\n");
  assert.equal(lines.pop(), "", "the last line ends");
  const found = new Map<string, number>();
  let family = "";
  for (const line of lines) {
    const head = line.match(/^# (HELP|TYPE) ([a-z_]+) (.+)$/);
    if (head) {
      if (head[1] === "TYPE") assert.ok(["counter", "gauge", "histogram"].includes(head[3]!), line);
      if (head[1] === "HELP") assert.ok(!found.has(head[2]!), `${line} comes once`);
      family = head[2]!;
      continue;
    }
    const sample = line.match(/^([a-z_]+)(\{(?:[a-z]+="[^"]+",?)+\})? (-?[0-9.e+-]+)$/);
    assert.ok(sample && sample[1]!.startsWith(family), line);
    found.set(sample[1]! + (sample[2] ?? ""), Number(sample[3]));
  }
  return found;
}

test("every figure in Prometheus' format", async () => {
  await figures();
  const now = await figures();
  for (const name of ["process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds", "process_max_fds", "yagura_disk_free_bytes", "yagura_threads", "yagura_max_threads", "yagura_requests_total"])
    assert.ok(now.get(name)! > 0, name);
  for (const name of ["yagura_waiting_connections", "yagura_mail_tenants", "yagura_jobs", "yagura_access_log_waiting", "yagura_stopped_statements_total", "yagura_quota_refusals_total", "yagura_tenants", "yagura_tenant_bytes", "yagura_clock_synchronised", "yagura_clock_error_seconds", "yagura_clock_steps_total"])
    assert.ok(now.has(name), name);
  const name = "yagura_request_duration_seconds";
  const buckets = [...now].filter(([key]) => key.startsWith(`${name}_bucket`)).map(([, n]) => n);
  assert.deepEqual(buckets, [...buckets].sort((a, b) => a - b), "buckets add up");
  assert.equal(now.get(`${name}_bucket{le="+Inf"}`), now.get(`${name}_count`));
});

test("backups, copies, the certificate, the build, its start, and the oldest mail", async () => {
  const began = Date.now();
  const now = await figures();
  for (const name of ["yagura_backup_last_run_good", "yagura_backup_late_tenants", "yagura_backup_generations", "yagura_mail_oldest_age_seconds", "yagura_disk_reserve_bytes"])
    assert.ok(now.has(name), name);
  assert.equal(now.get("yagura_backup_last_good_age_seconds"), -1, "never, without a tenant");
  const [info] = [...now].filter(([key]) => key.startsWith("yagura_build_info{"));
  assert.match(info![0], /^yagura_build_info\{version="\d+\.\d+\.\d+",commit="[^"]+"\}$/);
  assert.equal(info![1], 1);
  assert.ok(Math.abs(now.get("process_start_time_seconds")! * 1000 - began) < 120_000);
  assert.equal(now.get('yagura_backup_copies_failed{place="dir"}'), 1, "the folder is not there");
  for (let left: number | undefined; left === undefined; ) {
    left = (await figures()).get("yagura_certificate_seconds_left"); // after the first look of the doctor
    if (left !== undefined) assert.ok(left > 300 * 86_400 && left < 800 * 86_400, `${left}`);
  }
});

test("threads grow with the connections", async () => {
  const before = (await figures()).get("yagura_threads")!;
  const wanted = before + 60;
  const sockets: Socket[] = [];
  for (let i = 0; i < wanted; i++)
    sockets.push(await new Promise<Socket>((resolve, reject) => {
      const s = connect(port, "127.0.0.1", () => resolve(s));
      s.on("error", reject);
    }));
  while (((await figures()).get("yagura_threads") ?? 0) < wanted);
  assert.ok((await figures()).get("yagura_connections")! >= wanted);
  for (const s of sockets) s.destroy();
});
