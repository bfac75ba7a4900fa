// SPDX-License-Identifier: Apache-2.0
// A machine with systemd: a container on an overlay of the Debian that
// test/ops/root made, with a network of its own and nothing but the loopback
// in it.
import { execFileSync, spawn, spawnSync, type ChildProcess } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const top = join(import.meta.dirname, "../..");
export interface Ended {
  code: number;
  out: string;
  err: string;
}

export class Machine {
  #child!: ChildProcess;
  #leader = 0;
  readonly #place = join(top, "build/root/ops-run");
  readonly root = join(this.#place, "root");

  async start(): Promise<void> {
    const base = join(top, "build/root/ops");
    execFileSync(join(import.meta.dirname, "root"), [base], { stdio: ["ignore", "ignore", "inherit"] });
    this.#clear();
    for (const part of ["upper", "work", "root"]) mkdirSync(join(this.#place, part), { recursive: true });
    execFileSync("mount", ["-t", "overlay", "overlay", "-o", `lowerdir=${base},upperdir=${this.#place}/upper,workdir=${this.#place}/work`, this.root]);
    for (const unit of ["nginx", "haproxy", "caddy", "postfix"]) rmSync(join(this.root, "etc/systemd/system/multi-user.target.wants", `${unit}.service`), { force: true });
    this.#child = spawn("systemd-nspawn", ["-q", "-D", this.root, "--register=no", "--keep-unit", "--private-network", "--console=pipe",
      // what a container may not and a machine may: Landlock, memory that is locked
      "--system-call-filter=landlock_create_ruleset landlock_add_rule landlock_restrict_self seccomp mlock mlock2 munlock", "--capability=CAP_IPC_LOCK",
      `--bind-ro=${join(top, "build/third/node")}:/opt/node`, `--bind-ro=${import.meta.dirname}:/opt/ops`, "-b"], { stdio: ["ignore", "ignore", "inherit"] });
    await this.until("the machine is up", () => {
      this.#leader = Number(readFileSync(`/proc/${this.#child.pid}/task/${this.#child.pid}/children`, "utf8").trim().split(" ")[0]);
      return this.#leader > 0 && /running|degraded/.test(this.run("systemctl is-system-running").out);
    });
    // an address that is not the loopback's: whoever uses it is a stranger
    execFileSync("nsenter", ["-t", String(this.#leader), "-n", "ip", "address", "add", "192.0.2.10/32", "dev", "lo"]);
  }

  /** Shell words in the machine. */
  run(script: string, input = ""): Ended {
    const ended = spawnSync("nsenter", ["-t", String(this.#leader), "-m", "-u", "-i", "-n", "-p", "-C", "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "sh", "-c", script],
      { encoding: "utf8", input, timeout: 120_000, maxBuffer: 1 << 26 });
    return { code: ended.status ?? -1, out: ended.stdout ?? "", err: ended.stderr ?? "" };
  }

  /** The same, which must succeed. */
  must(script: string): string {
    const { code, out, err } = this.run(script);
    if (code !== 0) throw new Error(`${script}\nended with ${code}\n${out}${err}\n${this.run("journalctl -u yagura -n 30 --no-pager").out}`);
    return out;
  }

  write(path: string, text: string, mode = 0o644): void {
    mkdirSync(join(this.root, path, ".."), { recursive: true });
    writeFileSync(join(this.root, path), text, { mode });
  }
  read(path: string): string {
    return readFileSync(join(this.root, path), "utf8");
  }

  async until<T>(what: string, look: () => T | false | null | undefined): Promise<T> {
    for (let i = 0; i < 600; i++) {
      const found = look();
      if (found) return found;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`${what}: not within a minute\n${this.#leader ? this.run("journalctl -n 40 --no-pager").out : ""}`);
  }

  async stop(): Promise<void> {
    if (this.#child?.exitCode === null) {
      const gone = new Promise((resolve) => this.#child.on("exit", resolve));
      this.#child.kill("SIGTERM");
      await gone;
    }
    this.#clear();
  }
  #clear(): void {
    spawnSync("umount", ["-l", this.root]);
    rmSync(this.#place, { recursive: true, force: true });
  }
}
