// SPDX-License-Identifier: Apache-2.0
// Passkeys: what the server asks, put to the browser, and back.
import { post } from "./api";

interface Question {
  challenge: string;
  rp_id: string;
  ids: string[];
}
interface Offer extends Question {
  rp_name: string;
  user_id: string;
  user_name: string;
  display_name: string;
}

/** An address of numbers is no site to a browser. */
export const passkeysWork = () => "PublicKeyCredential" in window && !/^[\d.]+$|^\[/.test(location.hostname);

export function fromBase64url(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(binary, (c) => c.charCodeAt(0));
}
export function toBase64url(data: ArrayBuffer): string {
  let binary = "";
  for (const byte of new Uint8Array(data)) binary += String.fromCharCode(byte);
  return btoa(binary).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}
const listed = (ids: string[]) => ids.map((id) => ({ type: "public-key" as const, id: fromBase64url(id) }));

/** true when one was added; false when the person gave up. */
export async function addPasskey(name: string): Promise<boolean> {
  const offer = await post<Offer>("/me/factors/passkey");
  const made = (await ask(() =>
    navigator.credentials.create({
      publicKey: {
        challenge: fromBase64url(offer.challenge),
        rp: { id: offer.rp_id, name: offer.rp_name },
        user: { id: fromBase64url(offer.user_id), name: offer.user_name, displayName: offer.display_name },
        pubKeyCredParams: [{ type: "public-key", alg: -7 }, { type: "public-key", alg: -257 }],
        excludeCredentials: listed(offer.ids),
        authenticatorSelection: { userVerification: "required", residentKey: "preferred" },
        attestation: "none",
        timeout: 120_000,
      },
    }),
  )) as PublicKeyCredential | null;
  if (!made) return false;
  const response = made.response as AuthenticatorAttestationResponse;
  await post("/me/factors/passkey/confirm", {
    name,
    client_data: toBase64url(response.clientDataJSON),
    attestation: toBase64url(response.attestationObject),
  });
  return true;
}

/** The reply to the proof, or null when the person gave up. */
export async function provePasskey(): Promise<any> {
  const question = await post<Question>("/sign-in/passkey/question");
  const given = (await ask(() =>
    navigator.credentials.get({
      publicKey: {
        challenge: fromBase64url(question.challenge),
        rpId: question.rp_id,
        allowCredentials: listed(question.ids),
        userVerification: "required",
        timeout: 120_000,
      },
    }),
  )) as PublicKeyCredential | null;
  if (!given) return null;
  const response = given.response as AuthenticatorAssertionResponse;
  return post("/sign-in/passkey", {
    id: toBase64url(given.rawId),
    client_data: toBase64url(response.clientDataJSON),
    data: toBase64url(response.authenticatorData),
    signature: toBase64url(response.signature),
  });
}

/** The browser says no to who cancels, waits too long, or has it already. */
async function ask(work: () => Promise<Credential | null>): Promise<Credential | null> {
  try {
    return await work();
  } catch (e) {
    if (e instanceof DOMException && ["NotAllowedError", "AbortError", "InvalidStateError"].includes(e.name)) return null;
    throw e;
  }
}
