// SPDX-License-Identifier: Apache-2.0
// A request whose answer did not come is asked again under the same key, and
// so done once (Idempotency-Key).

/** 128 random bits; crypto.randomUUID() is missing on plain HTTP. */
export function newKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join("");
}

/** The key of a form: the same for the same content until it is answered. */
export class Once {
  private body = "";
  private key = "";
  of(body: unknown): string {
    const text = JSON.stringify(body);
    if (text !== this.body || !this.key) this.key = newKey();
    this.body = text;
    return this.key;
  }
  answered() {
    this.key = "";
  }
}
