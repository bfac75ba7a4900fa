// SPDX-License-Identifier: Apache-2.0
// Many full handshakes with the release, confined as `serve` confines itself:
// more than any count after which a library would ask for something anew.
import assert from "node:assert/strict";
import { readFileSync, rmSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { connect, type SecureVersion } from "node:tls";
import { type Service, startService } from "../service.ts";

const HANDSHAKES = 4200; // the library's own generator was through at 3,329
const AT_ONCE = 8;
const dir = mkdtempSync(join(tmpdir(), "yagura-handshake-"));
let service: Service;
let certificate: string;

before(async () => {
  service = await startService(dir);
  certificate = readFileSync(join(dir, "data", "tls.crt"), "utf8");
});
after(async () => {
  await service?.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** A full handshake, no ticket used: its version, or what went wrong. */
const shake = (version: SecureVersion, from: string) =>
  new Promise<string>((resolve) => {
    const socket = connect(
      { port: service.port, host: "127.0.0.1", servername: "localhost", localAddress: from, ca: certificate, minVersion: version, maxVersion: version },
      () => {
        resolve(socket.getProtocol()!);
        socket.destroy();
      },
    );
    socket.on("error", (error) => resolve(`${error}`));
  });

/** By so many clients at once, each from its own addresses. */
async function shakeAll(count: number, version: SecureVersion): Promise<Map<string, number>> {
  const outcomes = new Map<string, number>();
  let next = 0;
  const client = async () => {
    while (next < count) {
      const n = next++;
      const outcome = await shake(version, `127.1.${n % 4}.${1 + (n % 250)}`);
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, client));
  return outcomes;
}

test("thousands of TLS 1.3 handshakes are as good as the first", async () => {
  assert.deepEqual(await shakeAll(HANDSHAKES, "TLSv1.3"), new Map([["TLSv1.3", HANDSHAKES]]));
});

test("after them TLS 1.2 and plain requests go on too", async () => {
  assert.deepEqual(await shakeAll(50, "TLSv1.2"), new Map([["TLSv1.2", 50]]));
});
