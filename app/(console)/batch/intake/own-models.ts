import { parsedJson } from '../../gateway/parsed-json.ts'

/** What rows that name their own model come to; lines in OpenAI's format take no instruction. */
export type Share = { model: string; characters: number; items: number; instructed: boolean }

/** Only an item that contains this is parsed. */
const NAMES_MODEL = '"model"'

/** Sums up items that name their own model. */
export class OwnModels {
  readonly #shares = new Map<string, Share>()

  add(model: string, characters: number, instructed = true): void {
    const key = `${instructed} ${model}`
    const share = this.#shares.get(key) ?? { model, characters: 0, items: 0, instructed }
    share.characters += characters
    share.items += 1
    this.#shares.set(key, share)
  }

  /** Adds an item that is written as JSON, where it names its model, directly or in OpenAI's format. */
  addJson(text: string): void {
    if (!text.includes(NAMES_MODEL)) return
    const value = parsedJson(text) as { model?: unknown; body?: { model?: unknown } } | null | undefined
    const own = value?.model
    const inBody = value?.body?.model
    if (typeof own === 'string') this.add(own, text.length)
    else if (typeof inBody === 'string') this.add(inBody, text.length, false)
  }

  get all(): readonly Share[] {
    return [...this.#shares.values()]
  }
}
