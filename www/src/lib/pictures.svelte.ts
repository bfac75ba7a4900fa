// SPDX-License-Identifier: Apache-2.0
// Pictures put into a text while it is typed: a mark at the caret holds the
// place until the file is up, wherever the caret has gone meanwhile.
import type { Attachment } from "./attachment";
import { t } from "./i18n.svelte";
import { pastedName, pictureMark, PICTURE_TYPES, waitingMark } from "./picture";
import { Uploads } from "./uploads.svelte";

export interface Draft {
  text: string;
}

export class Pictures {
  readonly uploads: Uploads;
  /** The input, while it is on the screen. */
  area = $state.raw<HTMLTextAreaElement | null>(null);
  private draft: Draft;
  private work: Promise<unknown>[] = [];
  private readonly added: () => void;

  constructor(ticket: string | Promise<string>, draft: Draft, added: () => void) {
    this.uploads = new Uploads(ticket);
    this.draft = draft;
    this.added = added;
  }

  /** What cannot be shown in a text is attached to the ticket all the same. */
  add(files: Iterable<File>) {
    const all = [...files].map((file) => {
      const upload = this.uploads.add(file, pastedName(file, t("picture"), new Date()));
      return { upload, mark: PICTURE_TYPES.includes(file.type) ? waitingMark(upload.name, upload.no) : "" };
    });
    const marks = all.map((x) => x.mark).filter(Boolean);
    if (marks.length) this.insert(marks);
    this.work.push(...all.map(async ({ upload, mark }) => this.settle(mark, await this.uploads.send(upload))));
  }

  /** The text once all are up, or refused; what is typed from now on is another. */
  async finish(text: string): Promise<string> {
    const draft = { text };
    this.draft = draft;
    this.area = null;
    this.uploads.leave();
    await Promise.all(this.work);
    return draft.text;
  }

  private settle(mark: string, file: Attachment | null) {
    if (mark) this.replace(mark, file ? pictureMark(file.name, file.id) : "");
    if (file) this.added();
  }
  /** Each in a line of its own, where the selection is. */
  private insert(marks: string[]) {
    const text = this.draft.text;
    const from = this.area?.selectionStart ?? text.length;
    const to = this.area?.selectionEnd ?? text.length;
    const before = from > 0 && text[from - 1] !== "\n" ? "\n" : "";
    const after = to < text.length && text[to] !== "\n" ? "\n" : "";
    this.write(before + marks.join("\n") + after, from, to);
  }
  private replace(mark: string, made: string) {
    const text = this.draft.text;
    const at = text.indexOf(mark);
    if (at < 0) return; // taken away meanwhile
    const end = at + mark.length;
    const isLine = !made && text[at - 1] === "\n" && (end === text.length || text[end] === "\n");
    this.write(made, isLine ? at - 1 : at, end);
  }
  /** The caret stays where it is in the rest of the text. */
  private write(text: string, from: number, to: number) {
    if (!this.area) {
      this.draft.text = this.draft.text.slice(0, from) + text + this.draft.text.slice(to);
      return;
    }
    const moved = (at: number) => (at <= from && at < to ? at : at >= to ? at + text.length - (to - from) : from + text.length);
    const { selectionStart, selectionEnd } = this.area;
    this.area.setRangeText(text, from, to);
    this.area.setSelectionRange(moved(selectionStart), moved(selectionEnd));
    this.draft.text = this.area.value;
  }
}
