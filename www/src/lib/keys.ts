// SPDX-License-Identifier: Apache-2.0
// Keyboard: an Enter that confirms kana is never ours, and shortcuts of one
// letter are silent while somebody types.

/** What is needed of a KeyboardEvent; tests make their own. */
export interface Key {
  key: string;
  isComposing: boolean;
  keyCode?: number;
  ctrlKey?: boolean;
  metaKey?: boolean;
  shiftKey?: boolean;
  altKey?: boolean;
}

/** True while an input method holds the keys (229: Safari's way to say so). */
export const isComposing = (e: Key) => e.isComposing || e.keyCode === 229;

/** "ctrl+shift+z", "enter", "?", "arrowdown"; Cmd counts as Ctrl. */
export function chord(e: Key): string {
  const name = e.key === " " ? "space" : e.key.toLowerCase();
  const printable = e.key.length === 1 && !/[a-z0-9]/i.test(e.key);
  return [
    e.ctrlKey || e.metaKey ? "ctrl+" : "",
    e.altKey ? "alt+" : "",
    e.shiftKey && !printable ? "shift+" : "",
    name,
  ].join("");
}

export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement) return true;
  return target instanceof HTMLInputElement && !["checkbox", "radio", "button", "submit", "file"].includes(target.type);
}

export type Bindings = Record<string, (event: KeyboardEvent) => void>;

/** A keydown handler for these chords; never while composing. */
export function onKeys(bindings: Bindings) {
  return (event: KeyboardEvent) => {
    if (isComposing(event) || event.defaultPrevented) return;
    const act = bindings[chord(event)];
    if (!act) return;
    event.preventDefault();
    act(event);
  };
}

/** For the whole page: plain letters only when nobody types or has a dialog open. */
export function onPageKeys(bindings: Bindings) {
  const handle = onKeys(bindings);
  return (event: KeyboardEvent) => {
    const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
    if (plain && (isTyping(event.target) || document.querySelector("dialog[open]"))) return;
    if (!plain && isTyping(event.target) && /z|y/i.test(event.key)) return; // the field's own undo
    handle(event);
  };
}
