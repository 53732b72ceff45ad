/** The question that is being written. Apart from the conversation, so that a keystroke does not draw its turns again. */
export class Draft {
  #text = ''
  readonly #listeners = new Set<() => void>()

  readonly get = (): string => this.#text

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  set(text: string): void {
    if (text === this.#text) return
    this.#text = text
    for (const listener of this.#listeners) listener()
  }

  /** Puts an earlier text before what is written now. */
  prepend(earlier: string): void {
    const now = this.#text
    if (!now.trim() || now === earlier) this.set(earlier)
    else if (earlier.trim()) this.set(`${earlier}\n\n${now}`)
  }

  /** Puts one of several examples in place of an empty draft or another example, and after any other draft. */
  pick(example: string, examples: readonly string[]): void {
    const now = this.#text.trimEnd()
    if (now === '' || examples.includes(now)) this.set(example)
    else if (!now.endsWith(example)) this.set(`${now}\n\n${example}`)
  }
}
