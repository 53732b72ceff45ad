/** Entries of owners that wait for their turn: one of each owner after the other, and those of one owner in their order. */
export class FairQueue<Entry extends Readonly<{ owner: string }>> {
  /** Never with an empty list. The owner whose turn it is comes first. */
  readonly #waiting = new Map<string, Entry[]>()

  add(entry: Entry): void {
    const own = this.#waiting.get(entry.owner)
    if (own) own.push(entry)
    else this.#waiting.set(entry.owner, [entry])
  }

  /** Takes the next entry of an owner that may have a turn; undefined where none waits. */
  next(mayHaveTurn: (owner: string) => boolean): Entry | undefined {
    for (const [owner, own] of this.#waiting) {
      if (!mayHaveTurn(owner)) continue
      const entry = own.shift()
      this.#waiting.delete(owner)
      if (own.length > 0) this.#waiting.set(owner, own)
      return entry
    }
    return undefined
  }

  /** Takes an entry out; nothing happens where it does not wait. */
  remove(entry: Entry): void {
    const own = this.#waiting.get(entry.owner) ?? []
    const at = own.indexOf(entry)
    if (at === -1) return
    own.splice(at, 1)
    if (own.length === 0) this.#waiting.delete(entry.owner)
  }
}
