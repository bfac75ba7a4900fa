// SPDX-License-Identifier: Apache-2.0
// The operator's story with the real parts: the package under systemd, a proxy
// in front by our recipes, a strict relay, a store that checks signatures.
// Needs root; make ops-test fetches what it needs.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Machine } from "./machine.ts";

const top = join(import.meta.dirname, "../.."), recipes = join(top, "scripts/package");
const host = "pm.example.jp", console_ = "ops.example.jp";
const m = new Machine();
const deb = () => join(top, "build", readdirSync(join(top, "build")).find((name) => /^yagura_.*\.deb$/.test(name))!);

/** The status, and the body, that a client gets. */
function ask(url: string, more = "", patience = 20) {
  const { out } = m.run(`curl -sk -m ${patience} -w '\\n%{http_code}' ${more} '${url}'`);
  const at = out.lastIndexOf("\n");
  return { status: Number(out.slice(at + 1)), text: out.slice(0, at) };
}
const named = (name: string, at = "127.0.0.1") => `--resolve ${name}:443:${at} --resolve ${name}:80:${at}`;
const people = (path: string, more = "", name = host) => ask(`https://${name}${path}`, `${named(name)} ${more}`);
const log = (words = "") => m.run(`journalctl -u yagura --no-pager -o cat ${words}`).out;
/** journalctl's words for what comes from now on. */
const fromNow = () => `--since '${m.must("sleep 1; date '+%F %T'").trim()}'`;
const apply = () => m.must("systemctl reset-failed; systemctl daemon-reload && systemctl restart yagura.socket yagura.service");
// more than five starts in ten seconds are no operator's: systemd would give up
const restart = () => m.must("systemctl reset-failed; systemctl restart yagura.service");

/** Keys set in the packaged configuration; null takes one out. Replaced by rename. */
const keys: Record<string, string | null> = {};
function configure(more: Record<string, string | null>): void {
  Object.assign(keys, more);
  const lines = readFileSync(join(recipes, "yagura.conf"), "utf8").split("\n").filter((line) => !Object.keys(keys).some((key) => line.startsWith(`${key} =`)));
  const text = lines.concat(Object.entries(keys).flatMap(([key, value]) => (value === null ? [] : [`${key} = ${value}`]))).join("\n");
  m.write("etc/yagura/yagura.conf.new", `${text}\n`);
  m.must("chown root:yagura /etc/yagura/yagura.conf.new && chmod 640 /etc/yagura/yagura.conf.new && mv /etc/yagura/yagura.conf.new /etc/yagura/yagura.conf");
}
const doctor = () => {
  const { out, err } = m.run("yagura doctor --skip-updates --json");
  assert.ok(out, err);
  return Object.fromEntries(JSON.parse(out).findings.map((f: any) => [f.name, f])) as Record<string, { state: string; text: string }>;
};
const listens = (port: number) => m.run(`cat /proc/net/tcp /proc/net/tcp6`).out.split("\n").map((line) => line.trim().split(/\s+/)).filter((f) => f[3] === "0A" && f[1]!.endsWith(`:${port.toString(16).toUpperCase().padStart(4, "0")}`)).map((f) => f[1]!.split(":")[0]!);
const LOOPBACK = "0100007F";

before(async () => {
  await m.start();
  m.must("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 9 -subj /CN=pm.example.jp -addext subjectAltName=DNS:pm.example.jp,DNS:ops.example.jp,DNS:acme.pm.example.jp,DNS:relay.example.jp,DNS:localhost -keyout /root/key.pem -out /root/cert.pem 2>/dev/null");
});
after(() => m.stop());

test("the package has nothing that lintian minds", () => {
  const told = spawnSync("lintian", ["--fail-on", "error,warning", deb()], { encoding: "utf8" });
  assert.equal(told.status, 0, told.stdout);
});

test("it installs, holds its port by the socket unit, and says where to begin", async () => {
  copyFileSync(deb(), join(m.root, "root/yagura.deb"));
  assert.match(m.must("dpkg -i /root/yagura.deb"), /operator\/setup/);
  assert.equal(m.must("systemctl is-active yagura.socket yagura.service yagura-doctor.timer"), "active\nactive\nactive\n");
  assert.equal(people("/livez").status, 200);
  assert.equal(ask("https://pm.example.jp/livez", named(host, "192.0.2.10")).status, 200, "from elsewhere, over TLS");
  assert.match(log(), /no operator yet/);
  assert.equal(m.must("cat /run/systemd/generator/yagura.socket.d/listen.conf").match(/^ListenStream=.*$/gm)!.join(), "ListenStream=,ListenStream=443");
  for (const unit of ["yagura.service", "yagura.socket", "yagura-doctor.service", "yagura-doctor.timer"]) m.must(`systemd-analyze verify --man=no ${unit}`);
  assert.match(m.must("systemd-analyze security --threshold=15 yagura.service | tail -1"), /SAFE|OK/);
  const found = doctor();
  for (const name of ["user", "landlock", "seccomp", "memory", "files", "key", "tls", "answer", "schema"]) assert.equal(found[name]?.state, "good", `${name}: ${found[name]?.text}`);
});

test("a configuration that the socket unit does not know yet is refused by its name, and nothing answers in the clear", () => {
  configure({ base_url: `https://${host}`, operator_host: console_, listen: "", listen_plain: "127.0.0.1:8080", trusted_proxies: "127.0.0.1" });
  assert.match(m.must("yagura config check"), /yagura\.socket holds other ports.*\n.*daemon-reload/);
  m.run("systemctl restart yagura.service");
  assert.match(log(), /inherited=yagura\.socket address=:: port=443: the configuration does not listen there/);
  for (const at of ["127.0.0.1", "192.0.2.10"]) assert.equal(ask(`http://${at}:443/livez`, "", 2).status, 0);
  m.run("systemctl stop yagura.service; systemctl reset-failed yagura.service yagura.socket");
});

test("one command later it listens on the loopback alone, plain, for the proxy", () => {
  apply();
  assert.equal(m.must("yagura config check").split("\n")[0], "127.0.0.1:8080: plain, for this machine");
  assert.deepEqual([listens(443), listens(8080)], [[], [LOOPBACK]]);
  assert.equal(ask("http://127.0.0.1:8080/livez").status, 200);
  assert.equal(ask("http://192.0.2.10:8080/livez").status, 0);
  assert.doesNotMatch(log("-n 5"), /address=127\.0\.0\.1 port=443/);
});

test("a socket unit that is disabled stays so", () => {
  m.must("systemctl disable --now yagura.socket && systemctl restart yagura.service");
  assert.equal(m.run("systemctl is-active yagura.socket").out, "inactive\n");
  assert.equal(ask("http://127.0.0.1:8080/livez").status, 200, "8080 is nobody's privilege");
  m.must("systemctl stop yagura.service && systemctl enable --now yagura.socket && systemctl start yagura.service");
});

test("tenants are made while it runs", () => {
  for (const [id, mail, more] of [["acme", "a@example.jp", "--host acme.pm.example.jp"], ["otsu", "b@example.jp", ""]])
    m.must(`yagura tenant create ${id} --name ${id} --admin-email ${mail} --admin-name A ${more}`);
});

const proxies = {
  nginx: () => {
    m.must("mkdir -p /etc/letsencrypt/live/pm.example.jp && cp /root/cert.pem /etc/letsencrypt/live/pm.example.jp/fullchain.pem && cp /root/key.pem /etc/letsencrypt/live/pm.example.jp/privkey.pem");
    m.must("rm -f /etc/nginx/sites-enabled/default && cp /usr/share/doc/yagura/examples/nginx.conf /etc/nginx/sites-enabled/yagura && nginx -t");
  },
  haproxy: () => m.must("cat /root/cert.pem /root/key.pem >/etc/haproxy/pm.example.jp.pem && cp /usr/share/doc/yagura/examples/haproxy.cfg /etc/haproxy/haproxy.cfg && haproxy -c -q -f /etc/haproxy/haproxy.cfg"),
  // Caddy would fetch certificates: here it makes them itself
  caddy: () => m.must("(echo '{'; echo '\tlocal_certs'; echo '\tskip_install_trust'; echo '}'; cat /usr/share/doc/yagura/examples/Caddyfile) >/etc/caddy/Caddyfile && caddy validate --adapter caddyfile --config /etc/caddy/Caddyfile 2>&1"),
};
for (const [proxy, prepare] of Object.entries(proxies))
  describe(`behind ${proxy} by the recipe`, () => {
    before(async () => {
      prepare();
      m.must(`systemctl start ${proxy}`);
      await m.until(`${proxy} answers`, () => people("/livez").status === 200);
    });
    after(() => m.must(`systemctl stop ${proxy}`));

    test("names lead where they belong, over TLS with HSTS", () => {
      assert.equal(people("/t/otsu/api/v1/password-policy").status, 200);
      assert.equal(people("/api/v1/password-policy", "", "acme.pm.example.jp").status, 200);
      assert.equal(people("/operator/api/v1/password-policy", "", console_).status, 200);
      assert.equal(people("/operator/api/v1/password-policy").status, 404);
      const head = people("/t/otsu/", "-D - -o /dev/null").text;
      assert.match(head, /strict-transport-security: max-age=/i);
      assert.equal(ask(`http://${host}/`, named(host)).status, proxy === "caddy" ? 308 : 301);
    });

    test("a header opens no other host", () => {
      for (const line of ["X-Forwarded-Host: HOST", "X-Original-Host: HOST", "X-Host: HOST", "Forwarded: host=HOST", "X-Forwarded-Server: HOST"]) {
        const forged = (name: string) => `-H '${line.replace("HOST", name)}'`;
        assert.equal(people("/operator/api/v1/password-policy", forged(console_)).status, 404, line);
        assert.equal(people("/api/v1/password-policy", forged("acme.pm.example.jp")).status, 404, line);
      }
      // one name in the handshake, another in the request: Host decides
      assert.equal(people("/api/v1/password-policy", "-H 'Host: evil.example'").status, proxy === "caddy" ? 200 : 421);
    });

    test("a client's own X-Forwarded-For is not believed", () => {
      people("/t/otsu/api/v1/sign-in", `-H 'X-Forwarded-For: 203.0.113.9' -H 'X-Req: 1' -H 'Origin: https://${host}' -H 'Content-Type: application/json' -d '{"email":"nobody@example.jp","password":"x"}'`);
      assert.doesNotMatch(log(), /203\.0\.113\.9/);
    });

    test("what is larger than anything that Yagura takes ends at the proxy, the rest goes through", () => {
      m.must("[ -f /root/33 ] || { head -c 34603008 /dev/zero >/root/33; head -c 30000000 /dev/zero >/root/30; }");
      const upload = (file: string) => people("/t/otsu/api/v1/projects/1/imports", `-X POST --data-binary @${file} -H 'Expect:' -H 'X-Req: 1' -H 'Origin: https://${host}' -H 'Content-Type: text/csv'`).status;
      // Caddy counts as it passes it on, HAProxy not at all: Yagura has refused it by then
      const status = upload("/root/33");
      assert.ok({ nginx: [413], haproxy: [401], caddy: [401, 413] }[proxy]!.includes(status), String(status));
      assert.equal(upload("/root/30"), 401, "nobody is signed in");
    });

    test("connections to Yagura are kept", () => {
      for (let i = 0; i < 5; i++) people("/livez");
      const hex = (8080).toString(16).toUpperCase();
      const kept = m.run("cat /proc/net/tcp").out.split("\n").filter((line) => new RegExp(`^ *\\d+: \\S+ 0100007F:${hex} 01 `).test(line)).length;
      assert.ok(kept >= 1 && kept <= 5, String(kept));
    });

    test("a restart is not seen", () => {
      const loop = `for n in $(seq 25); do curl -sk -m 20 -o /dev/null -w '%{http_code}\\n' ${named(host)} https://${host}/t/otsu/api/v1/password-policy; sleep 0.1; done`;
      const out = m.must(`systemctl reset-failed; for w in 1 2 3 4; do (${loop}) >/root/loop$w & done; sleep 0.5; systemctl restart yagura.service; sleep 0.3; systemctl restart yagura.service; wait; cat /root/loop?`);
      const statuses = out.trim().split("\n");
      assert.equal(statuses.length, 100);
      assert.deepEqual([...new Set(statuses)], ["200"], out.replaceAll("\n", " "));
    });

    test("while it is stopped people read a page, and the proxy does not start it", () => {
      m.must("systemctl stop yagura.socket yagura.service");
      const reply = people("/t/otsu/");
      assert.ok([502, 503, 504].includes(reply.status), String(reply.status));
      assert.match(reply.text, /まもなく戻ります[^]*Back in a moment/);
      assert.equal(m.run("systemctl is-active yagura.service").out, "inactive\n");
      m.must("systemctl reset-failed; systemctl start yagura.socket yagura.service");
      assert.equal(people("/t/otsu/api/v1/password-policy").status, 200);
    });
  });

describe("a strict relay", () => {
  before(async () => {
    m.must(`
      postconf -e myhostname=relay.example.jp mydestination=example.jp mynetworks= inet_interfaces=loopback-only inet_protocols=ipv4 maillog_file=/var/log/postfix.log \\
        smtpd_tls_cert_file=/root/cert.pem smtpd_tls_key_file=/root/key.pem smtpd_helo_required=yes smtpd_tls_auth_only=yes \\
        smtpd_recipient_restrictions=reject_non_fqdn_helo_hostname,reject_invalid_helo_hostname,reject_non_fqdn_sender,reject_non_fqdn_recipient,reject_unlisted_recipient,permit_sasl_authenticated,reject
      postconf -M submissions/inet='submissions inet n - n - - smtpd'
      postconf -P submissions/inet/smtpd_tls_wrappermode=yes submissions/inet/smtpd_sasl_auth_enable=yes
      mkdir -p /etc/postfix/sasl
      printf 'pwcheck_method: auxprop\\nauxprop_plugin: sasldb\\nmech_list: PLAIN LOGIN\\n' >/etc/postfix/sasl/smtpd.conf
      printf first | saslpasswd2 -p -c -u relay.example.jp pm && chgrp postfix /etc/sasldb2 && chmod 640 /etc/sasldb2
      useradd -m tanaka && useradd -m pm && mkdir -p /srv/secrets && printf 'first\\n' >/srv/secrets/smtp && chown yagura /srv/secrets/smtp && chmod 400 /srv/secrets/smtp
      cp /root/cert.pem /srv/secrets/relay.pem
      grep -q relay /etc/hosts || echo '127.0.0.1 relay.example.jp' >>/etc/hosts
      newaliases; systemctl start postfix`);
    configure({ mail_spool: null, smtp_host: "relay.example.jp", smtp_from: "pm@example.jp", smtp_user: "pm@relay.example.jp", smtp_password_file: "/srv/secrets/smtp", smtp_ca: "/srv/secrets/relay.pem" });
    restart();
  });

  test("takes the invitation, greeted and named by the host of base_url", async () => {
    // not nobody@: that is a user of every Debian, and takes mail
    for (const [id, mail] of [["kou", "tanaka@example.jp"], ["hei", "niemand@example.jp"]]) m.must(`yagura tenant create ${id} --name ${id} --admin-email ${mail} --admin-name A`);
    const mail = await m.until("the invitation arrives", () => m.run("cat /var/mail/tanaka").out);
    assert.match(mail, /^Received: from pm\.example\.jp /m);
    assert.match(mail, /^Message-ID: <[0-9a-f]{32}@pm\.example\.jp>$/m);
    assert.match(Buffer.from(mail.slice(mail.indexOf("\n\n")).split("\n\n")[1]!, "base64").toString(), /https:\/\/pm\.example\.jp\/t\/kou\/link#/);
  });

  test("refuses one for good, which doctor tells; itself it is good up to a recipient", async () => {
    await m.until("the refusal", () => /mail given up id=\w+ err=550 /.test(log("-p err")));
    const found = doctor();
    assert.deepEqual([found.mail?.state, found.mail_refused?.state], ["good", "warning"], found.mail?.text);
    assert.match(found.mail_refused!.text, /hei/);
  });

  test("a new password, put in place of the old one outside /etc, is taken over by a reload that tells", () => {
    m.must("printf second | saslpasswd2 -p -u relay.example.jp pm && chgrp postfix /etc/sasldb2 && chmod 640 /etc/sasldb2 && systemctl restart postfix");
    assert.equal(doctor().mail?.state, "bad", "the old one opens nothing");
    m.must("printf 'second\\n' >/srv/secrets/new && chown yagura /srv/secrets/new && chmod 400 /srv/secrets/new && mv /srv/secrets/new /srv/secrets/smtp");
    configure({ smtp_from_name: "Yagura of Acme" });
    m.must("systemctl reload yagura");
    assert.equal(doctor().mail?.state, "good");
    configure({ smtp_port: "nonsense" });
    assert.notEqual(m.run("systemctl reload yagura").code, 0);
    assert.match(log("-p err -n 20"), /smtp_port is not a port[^]*not taken over/);
    assert.equal(m.must("systemctl is-active yagura.service"), "active\n");
    configure({ smtp_port: null });
    m.must("systemctl reload yagura");
  });
});

describe("a store that checks signatures", () => {
  before(async () => {
    m.must(`systemd-run -q --unit=store -p DynamicUser=yes -p StateDirectory=store -p WorkingDirectory=/opt/ops \\
      /opt/node/bin/node store.mjs /var/lib/store`);
    await m.until("the store answers", () => ask("http://127.0.0.1:4568/").status > 0);
    m.write("srv/secrets/s3", "S3RVER\n", 0o400);
    m.must("chown yagura /srv/secrets/s3");
    configure({ backup_region: "jp", backup_s3_endpoint: "http://127.0.0.1:4568", backup_s3_bucket: "copies", backup_s3_key_id: "S3RVER", backup_s3_secret_file: "/srv/secrets/s3" });
    restart();
  });
  const objects = () => m.run("find /var/lib/private/store /var/lib/store -type f 2>/dev/null").out;

  test("gets each generation", async () => {
    const since = fromNow();
    m.must("yagura backup run");
    await m.until("the copy is there", () => /manifest/.test(objects()) && /acme/.test(objects()));
    await m.until("it is told", () => /info backup copied place=\S+ date=\S+ files=\d+ .*bytes=\d+\n/.test(log(since)));
    assert.doesNotMatch(log(`${since} -p warning`), /backup .*failed/);
  });

  test("a key that it refuses is a warning in the journal, as it is tried again", async () => {
    m.write("srv/secrets/s3", "wrong\n", 0o400);
    m.must("chown yagura /srv/secrets/s3");
    const since = fromNow();
    restart();
    m.run("yagura backup run");
    await m.until("the failure is told", () => /warn backup copy failed .*err=.*SignatureDoesNotMatch/.test(log(`${since} -p warning`)));
    assert.doesNotMatch(log(`${since} -p info..info`), / (warn|error) |err=/);
  });
});

test("it upgrades in place, and goes without taking data along", () => {
  assert.match(m.must("dpkg -i --force-confold /root/yagura.deb"), /upgraded from/);
  assert.equal(ask("http://127.0.0.1:8080/livez").status, 200);
  const said = m.must("dpkg --purge yagura 2>&1");
  assert.match(said, /\/var\/lib\/yagura remains/);
  assert.equal(m.run("test -f /var/lib/yagura/control.db && test -f /etc/yagura/master.key").code, 0);
});
