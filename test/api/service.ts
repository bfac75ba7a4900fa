// SPDX-License-Identifier: Apache-2.0
// The release as it is installed: `serve` with TLS and its own certificate,
// confined, its mails in a folder.
import { spawn, type ChildProcess } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";

export const release = process.env.YAGURA_RELEASE ?? process.env.YAGURA ?? "build/yagura";

export interface Service {
  port: number;
  operatorPort: number;
  process: ChildProcess;
  /** What it has logged so far. */
  said(): string;
  stop(): Promise<void>;
}

/** In DIR: data/, master.key, spool/. */
export async function startService(dir: string, words: string[] = [], program = release): Promise<Service> {
  const spool = join(dir, "spool");
  mkdirSync(spool, { recursive: true });
  const child = spawn(
    program,
    ["serve", "--data_dir", join(dir, "data"), "--master_key", join(dir, "master.key"), "--mail_spool", spool,
      "--listen", "127.0.0.1:0", "--operator_listen", "127.0.0.1:0", ...words],
    { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ASAN_OPTIONS: "detect_leaks=0" } },
  );
  let log = "";
  const [port, operatorPort] = await new Promise<number[]>((resolve, reject) => {
    const read = (data: Buffer) => {
      log += data;
      const found = [...log.matchAll(/listening .*port=(\d+)/g)].map(([, one]) => Number(one));
      if (found.length >= 2) resolve(found);
    };
    child.stdout!.on("data", read);
    child.stderr!.on("data", read);
    child.on("exit", () => reject(new Error(log)));
  });
  return {
    port: port!,
    operatorPort: operatorPort!,
    process: child,
    said: () => log,
    stop: () =>
      new Promise((resolve) => {
        if (child.exitCode !== null || child.signalCode !== null) return resolve();
        child.on("exit", () => resolve());
        child.kill("SIGTERM");
      }),
  };
}
