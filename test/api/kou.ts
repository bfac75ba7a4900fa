// SPDX-License-Identifier: Apache-2.0
// The tenant whose end is told in several tests: its first day, a disk of its
// own, and a look at the raw image of that disk.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { type Answer, Client, type Demo } from "./server.ts";

export const kou = { email: "boss@kou.example", password: "Daihyou-26" };

/** The body of an answer that must be good. */
export const ok = async (reply: Promise<Answer>): Promise<any> => {
  const { status, body } = await reply;
  assert.ok(status < 300, `${status} ${JSON.stringify(body)}`);
  return body;
};

/** At the tenant's address, after a restart too: not signed in. */
export const atKou = (demo: Demo) => new Client(`${new URL(demo.ready.url).origin}/t/kou`);

/** Its boss signs in, and accepts the terms if that is still owed. */
export async function enterKou(boss: Client) {
  await ok(boss.signIn(kou.email, kou.password));
  const { terms, is_whole_owed } = (await boss.get("/terms")).body;
  if (is_whole_owed) await ok(boss.post("/terms/accept", { no: terms.no }));
}

/** The operator makes it, its boss follows the invitation and is signed in. */
export async function addKou(demo: Demo, oper: Client): Promise<Client> {
  await ok(oper.post("/tenants", { id: "kou", name: "甲社", admin_email: kou.email, admin_name: "代表" }));
  const boss = atKou(demo);
  const [, token] = await oper.waitForMail(kou.email, /\/t\/kou\/link#([\w-]{43})/);
  await ok(boss.post("/links/accept", { token, password: kou.password }));
  await enterKou(boss);
  return boss;
}

/** An ext4 in a file, mounted in `dir`; or why there is none.  Where tests run
 * as root loop devices must be there. */
export function makeDisk(dir: string, megabytes: number): { mount: string; image: string; release(): void } | string {
  if (process.getuid?.() !== 0) return "needs root to mount an image";
  const image = join(dir, "disk.img");
  const mount = join(dir, "disk");
  mkdirSync(mount);
  execFileSync("truncate", ["-s", `${megabytes}M`, image]);
  try {
    execFileSync("mkfs.ext4", ["-q", "-F", image], { stdio: "pipe" });
    execFileSync("mount", ["-o", "loop", image, mount], { stdio: "pipe" });
  } catch (error) {
    if (process.env.CI) throw error;
    return `no loop-mounted image here: ${String(error).split("\n")[0]}`;
  }
  return { mount, image, release: () => void spawnSync("umount", ["-l", mount]) };
}

const PART = 1 << 24;

/** The image in parts that overlap by so many bytes. */
export function* parts(image: string, overlap: number): Generator<{ at: number; bytes: Buffer }> {
  const fd = openSync(image, "r");
  try {
    for (let at = 0; ; at += PART) {
      const bytes = Buffer.alloc(PART + overlap);
      const n = readSync(fd, bytes, 0, bytes.length, at);
      if (n <= 0) return;
      yield { at, bytes: bytes.subarray(0, n) };
    }
  } finally {
    closeSync(fd);
  }
}

/** How often these, none longer than 512 bytes, are anywhere in the image. */
export function countIn(image: string, all: Buffer[]): number {
  let count = 0;
  for (const { bytes } of parts(image, 512)) for (const one of all) for (let at = bytes.indexOf(one); at >= 0 && at < PART; at = bytes.indexOf(one, at + 1)) count++;
  return count;
}
