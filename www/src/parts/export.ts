// SPDX-License-Identifier: Apache-2.0
// A project's tickets as a file.  Fetched and handed to the browser rather than
// linked to, so that a refusal is a message and no page of its own.
import { getBlob } from "../lib/api";
import { complain, type Project } from "../lib/state.svelte";
import type { Item } from "../ui/Menu.svelte";

const encodings = [["utf-8", "UTF-8"], ["cp932", "CP932 (Shift_JIS)"]] as const;

export function save(file: Blob, name: string) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

export function exportItems(project: Project): Item[] {
  return encodings.map(([encoding, label]) => ({
    label,
    run: () =>
      void getBlob(`/projects/${project.id}/export.csv?encoding=${encoding}`).then(
        (file) => save(file, `${project.key}-tickets.csv`),
        complain,
      ),
  }));
}
