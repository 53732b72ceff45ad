import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { mediaOf } from '#lib/guardrails/call/media.ts'
import type { ContentPart } from '#lib/llm/message.ts'
import type { Call } from '#lib/llm/types.ts'

const asking = (...parts: ContentPart[]): Promise<readonly string[]> =>
  mediaOf({
    messages: [{ role: 'user', content: [{ type: 'text', text: 'Describe this' }, ...parts] }],
  } as never)

const directory = mkdtempSync(join(tmpdir(), 'parley-media-'))
const recording = (name: string, content: string): Promise<readonly string[]> => {
  const path = join(directory, name)
  writeFileSync(path, content)
  const part = { name: 'file', fileName: 'a.mp3', type: 'audio/mpeg', path, bytes: content.length }
  const passthrough = {
    endpoint: 'audio/transcriptions',
    body: { kind: 'form', parts: [part] },
    namesModel: true,
  }
  return mediaOf({ messages: [], passthrough } as unknown as Call)
}

describe('what tells media apart', () => {
  it('is the same for the same image, and another for another one, wherever they differ a little', async () => {
    const image = (data: string): ContentPart => ({ type: 'image', url: `data:image/png;base64,${data}` })
    const [one, other] = ['A'.repeat(200_000), `${'A'.repeat(199_000)}B${'A'.repeat(999)}`]
    expect(await asking(image(one))).toEqual(await asking(image(one)))
    expect(await asking(image(one))).not.toEqual(await asking(image(other)))
    expect(await asking(image('AAAA'))).not.toEqual(await asking(image('AAAB')))
    expect(await asking()).toEqual([])
  })

  it('tells recordings apart by their length and their content', async () => {
    const one = await recording('one', 'a'.repeat(100_000))
    expect(await recording('same', 'a'.repeat(100_000))).toEqual(one)
    expect(await recording('longer', 'a'.repeat(100_001))).not.toEqual(one)
    expect(await recording('other', `b${'a'.repeat(99_999)}`)).not.toEqual(one)
    expect(await recording('empty', '')).toEqual(['0 '])
  })
})
