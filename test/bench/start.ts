// SPDX-License-Identifier: Apache-2.0
// A server over many tenants: time from its start until it answers, and what
// it keeps in memory once it has looked at all of them.
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { binary } from "../api/server.ts";

const TENANTS = Number(process.env.TENANTS ?? 1000);
const STARTS = 5;
const row = (what: string, figure: string, goal: string) => console.log(`${what.padEnd(50)} ${"-".padStart(10)} ${figure.padStart(10)} ${"".padStart(8)}   ${goal}`);
const dir = mkdtempSync(join(tmpdir(), "yagura-start-"));
mkdirSync(join(dir, "spool"));
const fixed = ["--data_dir", join(dir, "data"), "--master_key", join(dir, "master.key"), "--mail_spool", join(dir, "spool")];

async function start() {
  const begin = performance.now();
  const child = spawn(binary, ["serve", ...fixed, "--base_url", "https://localhost", "--listen", "127.0.0.1:0", "--operator_listen", "127.0.0.1:0"], { stdio: ["ignore", "pipe", "pipe"] });
  const port = await new Promise<number>((resolve, reject) => {
    let text = "";
    const read = (data: Buffer) => {
      text += data;
      const ports = [...text.matchAll(/listening .*port=(\d+)/g)];
      if (ports.length >= 2) resolve(Number(ports[1]![1]));
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    child.on("exit", () => reject(new Error(text)));
  });
  while ((await fetch(`http://127.0.0.1:${port}/readyz`)).status !== 200);
  const took = performance.now() - begin;
  return { child, took };
}
async function stop(child: ReturnType<typeof spawn>) {
  const ended = new Promise((resolve) => child.on("exit", resolve));
  child.kill("SIGTERM");
  await ended;
}

try {
  for (let i = 1; i <= TENANTS; i++)
    execFileSync(binary, ["tenant", "create", `t${i}`, "--name", `会社 ${i}`, "--admin-email", `a${i}@example.jp`, "--admin-name", "管理者", ...fixed], { stdio: "ignore" });
  const took: number[] = [];
  for (let i = 0; i <= STARTS; i++) {
    const one = await start();
    if (i) took.push(one.took); // the first learns what a password costs
    if (i === STARTS) {
      await new Promise((resolve) => setTimeout(resolve, Number(process.env.WAIT ?? 10_000)));
      const [, kb] = readFileSync(`/proc/${one.child.pid}/status`, "utf8").match(/VmRSS:\s+(\d+)/)!;
      row(`${TENANTS} tenants: resident, all looked at`, `${(Number(kb) / 1024).toFixed(1)} MB`, TENANTS > 100 ? "400 MB" : "64 MB");
    }
    await stop(one.child);
  }
  row(`${TENANTS} tenants: start until /readyz answers`, `${Math.round(took.toSorted((a, b) => a - b)[STARTS >> 1]!)} ms`, "200 ms");
} finally {
  rmSync(dir, { recursive: true, force: true });
}
