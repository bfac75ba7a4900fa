// SPDX-License-Identifier: Apache-2.0
// A list that grows as one scrolls.  An answer that arrives after the filter
// changed is thrown away.
import { get, query } from "./api";

export interface Page<T> {
  items: T[];
  next: string | null;
}

export class Pager<T extends { id?: string }> {
  items = $state.raw<T[]>([]);
  next = $state<string | null>(null);
  loading = $state(false);
  loaded = $state(false);
  error = $state<unknown>(null);
  private round = 0;
  private path = "";
  private filter: Record<string, string | number | null | undefined> = {};

  async load(path: string, filter: Record<string, string | number | null | undefined> = {}) {
    const other = path !== this.path || JSON.stringify(filter) !== JSON.stringify(this.filter);
    this.path = path;
    this.filter = filter;
    await this.fetch(null, other);
  }
  async more() {
    if (this.next && !this.loading) await this.fetch(this.next);
  }
  reload() {
    return this.load(this.path, this.filter);
  }
  replace(item: T) {
    this.items = this.items.map((x) => (x.id === item.id ? { ...x, ...item } : x));
  }
  remove(id: string) {
    this.items = this.items.filter((x) => x.id !== id);
  }

  private async fetch(after: string | null, other = false) {
    const round = ++this.round;
    this.loading = true;
    this.error = null;
    try {
      const page = await get<Page<T>>(this.path + query({ ...this.filter, after }));
      if (round !== this.round) return;
      this.items = after ? [...this.items, ...page.items] : page.items;
      this.next = page.next;
      this.loaded = true;
    } catch (error) {
      if (round !== this.round) return;
      this.error = error;
      // what another filter found must not stand under this one
      if (other) ((this.items = []), (this.next = null));
    } finally {
      if (round === this.round) this.loading = false;
    }
  }
}
