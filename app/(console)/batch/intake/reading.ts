import { extensionOf } from './files.ts'
import { counterOf } from './item-counter.ts'
import type { Share } from './own-models.ts'

/** The estimated content of a file; `own` is the part of it whose rows name their own model. */
export type Reading = { characters: number; items: number; own?: readonly Share[] }

/** Reads a file piece by piece and counts; undefined where it is not UTF-8. */
export async function readingOf(file: File): Promise<Reading | undefined> {
  const counter = counterOf(extensionOf(file.name))
  let characters = 0
  try {
    const reader = file
      .stream()
      .pipeThrough(new TextDecoderStream('utf-8', { fatal: true }))
      .getReader()
    for (;;) {
      const { value, done } = await reader.read()
      if (done) break
      characters += value.length
      counter.push(value)
    }
  } catch {
    return undefined
  }
  const items = counter.end()
  const own = counter.shares()
  return { characters, items, ...(own.length > 0 && { own }) }
}
