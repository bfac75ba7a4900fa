// SPDX-License-Identifier: Apache-2.0
// What the kernel refused to a running server.  Two witnesses, since neither
// sees all: strace, which is told of the few calls that name a file or an
// address, and the kernel's own trace of ended calls, which also sees those
// that the server's seccomp filter answers before strace is asked.
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const tracing = "/sys/kernel/tracing";
const open = 2, openat = 257, connect = 42, bind = 49; // x86-64: strace tells more of these
/** EPERM, EACCES, ENOTTY, ENOSYS, EAFNOSUPPORT: what the sandbox answers. */
const refusals = [1, 13, 25, 38, 97];
/** What the sandbox's own measurement (src/base/sandbox.c) tries, each time anew. */
const measured = [/^open\w*\((AT_FDCWD, )?"\/", .*EACCES/, /^connect\(.*htons\(1\).*EACCES/];
const measuredCalls = new Set(["NR 140 = -38"]); // getpriority

export interface Audit {
  /** From here on every refusal is a fault. */
  begin(pid: number): void;
  /** What was refused since begin(), each once, with how often. */
  found(): string[];
  close(): void;
}

/** The command line that runs `words` under strace, which writes into `log`. */
export const watched = (log: string, words: string[]): [string, string[]] => [
  "strace",
  ["-f", "--seccomp-bpf", "-qq", "-e", "signal=none", "-e", "trace=%file,connect,bind", "-e", "status=failed", "-o", log, ...words],
];

/** The server that strace runs. */
export function childOf(strace: ChildProcess): number {
  const [pid] = readFileSync(`/proc/${strace.pid}/task/${strace.pid}/children`, "utf8").trim().split(" ");
  return Number(pid);
}

export function openAudit(log: string): Audit {
  if (!existsSync(join(tracing, "events"))) {
    const mounted = spawn("mount", ["-t", "tracefs", "tracefs", tracing]);
    mounted.on("error", () => undefined);
  }
  const place = join(tracing, "instances", `yagura-${process.pid}`);
  let from = 0;
  return {
    begin(pid) {
      // refused before the server served: what it probes for, told at its start
      from = existsSync(log) ? readFileSync(log).length : 0;
      mkdirSync(place);
      const event = join(place, "events/raw_syscalls/sys_exit");
      writeFileSync(join(place, "options/event-fork"), "1");
      writeFileSync(join(place, "set_event_pid"), readdirSync(`/proc/${pid}/task`).join(" "));
      const known = [open, openat, connect, bind].map((nr) => `id != ${nr}`).join(" && ");
      writeFileSync(join(event, "filter"), `(${refusals.map((e) => `ret == -${e}`).join(" || ")}) && ${known}`);
      writeFileSync(join(event, "enable"), "1");
      writeFileSync(join(place, "tracing_on"), "1");
    },
    found() {
      const count = new Map<string, number>();
      const add = (what: string) => count.set(what, (count.get(what) ?? 0) + 1);
      for (const line of readFileSync(join(place, "trace"), "utf8").matchAll(/sys_exit: (NR \d+ = -\d+)/g))
        if (!measuredCalls.has(line[1]!)) add(line[1]!);
      const text = readFileSync(log).subarray(from).toString();
      for (const line of text.split("\n")) {
        const what = line.replace(/^\d+ +/, "");
        if (/= -1 (EPERM|EACCES|ENOSYS|EROFS)\b/.test(what) && !measured.some((known) => known.test(what)))
          add(what.replace(/0x[0-9a-f]+/g, "0x…"));
      }
      return [...count].map(([what, times]) => `${times} × ${what}`);
    },
    close() {
      if (existsSync(place)) rmdirSync(place); // tracefs takes its files along
    },
  };
}
