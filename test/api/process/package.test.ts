// SPDX-License-Identifier: Apache-2.0
// What is shipped beside the binary: the package and its scripts, the unit,
// the manual page, and the binary's word about itself.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

const release = process.env.YAGURA_RELEASE ?? process.env.YAGURA ?? "build/yagura";
const top = join(import.meta.dirname, "../../..");
const scripts = join(top, "scripts/package");
const dir = mkdtempSync(join(tmpdir(), "yagura-package-"));
const run = (program: string, ...words: string[]) => execFileSync(program, words, { encoding: "utf8", cwd: top, maxBuffer: 1 << 26, stdio: ["ignore", "pipe", "pipe"] });
const version = run(release, "version").trim().split(" ")[1]!;
const hasDpkg = existsSync("/usr/bin/dpkg-deb");
let deb = "";

before(() => {
  if (!hasDpkg) return;
  run(join(scripts, "deb"), version);
  deb = join(top, "build", readdirSync(join(top, "build")).find((name) => /^yagura_.*\.deb$/.test(name))!);
});
after(() => rmSync(dir, { recursive: true, force: true }));

test("the package holds program, units, configuration, page and recipes, all root's", { skip: !hasDpkg && "no dpkg-deb" }, () => {
  const list = run("dpkg-deb", "-c", deb);
  for (const path of [
    "./usr/bin/yagura", "./lib/systemd/system/yagura.service", "./lib/systemd/system/yagura.socket", "./lib/systemd/system/yagura-doctor.timer", "./lib/systemd/system-generators/yagura",
    "./usr/share/yagura/yagura-down.html", "./usr/share/yagura/yagura-down.http", "./usr/share/doc/yagura/changelog.gz",
    "./etc/yagura/yagura.conf", "./usr/share/man/man1/yagura.1.gz", "./usr/share/doc/yagura/examples/nginx.conf",
    "./usr/share/doc/yagura/examples/Caddyfile", "./usr/share/doc/yagura/examples/haproxy.cfg", "./usr/share/doc/yagura/copyright",
  ])
    assert.match(list, new RegExp(` ${path.replaceAll(".", "\\.")}\n`), path);
  for (const line of list.trim().split("\n")) assert.match(line, /^[d-]rw[x-]r-[x-]r-[x-] root\/root /, line);
  run("dpkg-deb", "-x", deb, join(dir, "x"));
  assert.equal(run(join(dir, "x/usr/bin/yagura"), "version").trim(), `yagura ${version}`);
  run("dpkg-deb", "-e", deb, join(dir, "e"));
  assert.equal(readFileSync(join(dir, "e/conffiles"), "utf8"), "/etc/yagura/yagura.conf\n");
  for (const script of ["preinst", "postinst", "prerm", "postrm"]) {
    assert.equal(statSync(join(dir, "e", script)).mode & 0o777, 0o755);
    run("sh", "-n", join(dir, "e", script));
  }
});

test("lintian has neither error nor warning", { skip: !existsSync("/usr/bin/lintian") && "no lintian" }, () => {
  const told = spawnSync("lintian", ["--fail-on", "error,warning", deb], { encoding: "utf8" });
  assert.equal(told.status, 0, told.stdout);
});

/** postinst in a place of its own; what it has systemctl do. */
function configure(name: string, more: { from?: string; key?: boolean; disabled?: string }) {
  const place = join(dir, name), bin = join(place, "bin");
  for (const part of ["data/keys", "etc", "bin"]) mkdirSync(join(place, part), { recursive: true });
  for (const file of ["data/keys/control.key", "etc/yagura.conf", ...(more.key ? ["etc/master.key"] : [])]) writeFileSync(join(place, file), "");
  const systemctl = `#!/bin/sh\n[ "$1" = is-enabled ] || { echo "$*" >>${place}/done; exit 0; }\n[ "$3" != "${more.disabled ?? ""}" ]\n`;
  for (const tool of ["getent", "install", "chown"]) writeFileSync(join(bin, tool), "#!/bin/sh\n", { mode: 0o755 });
  writeFileSync(join(bin, "systemctl"), systemctl, { mode: 0o755 });
  const script = readFileSync(join(scripts, "postinst"), "utf8").replaceAll("/var/lib/yagura", `${place}/data`).replaceAll("/etc/yagura", `${place}/etc`).replaceAll("/run/systemd/system", place);
  const ended = spawnSync("sh", ["-c", script, "postinst", "configure", more.from ?? ""], { encoding: "utf8", env: { ...process.env, PATH: `${bin}:${process.env.PATH}` } });
  assert.equal(ended.status, 0, ended.stderr);
  return { asked: readFileSync(join(place, "done"), "utf8").trim().split("\n"), err: ended.stderr };
}

test("an upgrade starts what is enabled, at once, and leaves the rest; a key elsewhere holds nothing up", () => {
  const all = "yagura.socket yagura.service yagura-doctor.timer";
  assert.deepEqual(configure("first", { key: true }).asked, [`enable --quiet ${all}`, "daemon-reload", `restart ${all}`]);
  assert.deepEqual(configure("later", { key: true, from: "0.0.1", disabled: "yagura-doctor.timer" }).asked, ["daemon-reload", "restart yagura.socket yagura.service"]);
  assert.deepEqual(configure("credential", { from: "0.0.1" }).asked, ["daemon-reload", `restart ${all}`]);
  // data, no key, nothing known of it: said, and enabled for when it is back
  const lost = configure("lost", {});
  assert.deepEqual(lost.asked, [`enable --quiet ${all}`]);
  assert.match(lost.err, /master\.key is missing/);
});

test("built twice it is the same package", { skip: !hasDpkg && "no dpkg-deb" }, () => {
  const sum = () => createHash("sha256").update(readFileSync(deb)).digest("hex");
  const first = sum();
  run(join(scripts, "deb"), version);
  assert.equal(sum(), first);
});

test("the packaged configuration is one the program takes", () => {
  const ended = spawnSync(release, ["config", "check", "--config", join(scripts, "yagura.conf")], { encoding: "utf8" });
  assert.deepEqual([ended.status, ended.stdout], [0, "[::]:443: TLS\n127.0.0.1:9464: plain, for this machine, the operator's console\nok\n"], ended.stderr);
});

/** The drop-in for the socket unit, of the packaged configuration. */
const sockets = (...words: string[]) => run(release, "config", "sockets", "--config", join(scripts, "yagura.conf"), ...words);

test("the socket unit holds the ports of the configuration, and no other", () => {
  const unit = readFileSync(join(scripts, "yagura.socket"), "utf8");
  assert.match(unit, /^ListenStream=443$/m, "as it is packaged");
  const lines = (text: string) => text.split("\n").filter((line) => line.startsWith("ListenStream"));
  assert.deepEqual(lines(sockets()), ["ListenStream=", "ListenStream=443"]);
  const proxy = ["--listen", "", "--listen_plain", "127.0.0.1:8080", "--trusted_proxies", "127.0.0.1"];
  assert.deepEqual(lines(sockets(...proxy)), ["ListenStream=", "ListenStream=127.0.0.1:8080"]);
  assert.deepEqual(lines(sockets(...proxy, "--tenant_listen", "acme=[2001:db8::1]:9443")), ["ListenStream=", "ListenStream=127.0.0.1:8080", "ListenStream=[2001:db8::1]:9443"]);
  assert.deepEqual(lines(sockets("--listen", "0.0.0.0:443 192.0.2.1:8443")), ["ListenStream=", "ListenStream=0.0.0.0:443", "ListenStream=192.0.2.1:8443"]);
  assert.throws(() => sockets("--listen", "", "--listen_plain", "0.0.0.0:8080"), "nothing of what config check refuses");
});

test("the recipes' keys stand in the packaged configuration, ready to be taken", () => {
  const conf = readFileSync(join(scripts, "yagura.conf"), "utf8").replace(/^listen = .*$/m, "").replace(/^#(listen|listen_plain|trusted_proxies|base_url) =/gm, "$1 =");
  writeFileSync(join(dir, "proxy.conf"), conf);
  const told = run(release, "config", "check", "--config", join(dir, "proxy.conf"));
  assert.match(told, /^127\.0\.0\.1:8080: plain, for this machine$/m);
  for (const recipe of ["nginx.conf", "Caddyfile", "haproxy.cfg"]) {
    const text = readFileSync(join(scripts, recipe), "utf8");
    for (const key of ["listen =", "listen_plain = 127.0.0.1:8080", "trusted_proxies = 127.0.0.1", "base_url = https://pm.example.jp"])
      assert.ok(text.includes(`#   ${key}\n`) && conf.includes(`\n${key}\n`), `${recipe}: ${key}`);
  }
});

test("the package's last words send to the console where its configuration puts it", () => {
  const conf = readFileSync(join(scripts, "yagura.conf"), "utf8"), words = readFileSync(join(scripts, "postinst"), "utf8");
  const port = conf.match(/^operator_listen = 127\.0\.0\.1:(\d+)$/m)?.[1];
  assert.ok(words.includes(` http://localhost:${port}/operator/setup\n`), "the address of operator_listen");
  assert.doesNotMatch(words, /https:\S*\/operator/, "the port that people use has no console");
});

test("the unit exposes no more than 1.5 by systemd's own reckoning", { skip: !existsSync("/usr/bin/systemd-analyze") && "no systemd-analyze" }, () => {
  const told = spawnSync("systemd-analyze", ["security", "--offline=true", "--threshold=15", join(scripts, "yagura.service")], { encoding: "utf8" });
  assert.equal(told.status, 0, told.stdout.trim().split("\n").at(-1));
});

test("the manual page names every command and key", () => {
  const page = run(join(scripts, "man"), release, version).replaceAll("\\-", "-");
  for (const line of run(release, "--help").trim().split("\n").slice(1)) assert.ok(page.includes(`.B ${line.trim().split(" ")[0]}\n`), line);
  const keys = run(release, "config", "show").trim().split("\n").map((line) => line.replace(/^# /, "").split(" ")[0]);
  for (const key of keys) assert.ok(page.includes(`.B --${key}\n`), key);
  for (const word of ["--confirm-key-copy", "--dry-run", "--sbom"]) assert.ok(page.includes(word), word);
});

test("every command helps", () => {
  for (const line of run(release, "--help").trim().split("\n").slice(1)) {
    const [name] = line.trim().split(" ");
    if (name !== "openapi" && name !== "types") assert.match(run(release, name!, "--help"), new RegExp(`^usage: yagura ${name}`), name);
  }
});

test("the binary names its parts, their licences and how it was built", () => {
  const sbom = JSON.parse(run(release, "version", "--sbom"));
  assert.equal(sbom.bomFormat, "CycloneDX");
  const names = sbom.components.map((c: any) => c.name);
  for (const part of ["civetweb", "mbedtls", "musl"]) assert.ok(names.some((n: string) => n.includes(part)), `${part} in ${names}`);
  const notices = run(release, "version", "--licenses");
  // whole texts, of the browser's parts too: these are known only once they are fetched
  for (const words of [/Apache License/, /Svelte Contributors/, /Project Nayuki/]) assert.match(notices, words);
  assert.match(run(release, "version", "--build"), /compiler gcc/);
});
