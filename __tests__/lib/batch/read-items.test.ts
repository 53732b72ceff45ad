import { mkdtemp, readdir, readlink, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { messagesBelow } from '#lib/batch/instruction.ts'
import { cleanName, kindOf } from '#lib/batch/intake/names.ts'
import { findingsIn } from '#lib/batch/intake/read-file.ts'
import { faultsOf, readItems } from '#lib/batch/intake/read-items.ts'
import { itemBody } from '#lib/validation/batch.ts'

const schema = itemBody({
  maxPromptCharacters: 2_000,
  maxMessages: 50,
  maxMessagesCharacters: 50_000,
  maxOutputTokens: 4_000,
})

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'items-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

const fileOf = async (sent: string, content: string | Uint8Array) => {
  const name = cleanName(sent)
  const path = join(directory, name)
  await writeFile(path, content)
  return { name, path, kind: kindOf(name) ?? 'text', bytes: (await stat(path)).size }
}

type Wishes = { instruction?: string; model?: string; mostItems?: number }

const keptOf = async (name: string, content: string, wishes: Wishes = {}) =>
  all(readItems([await fileOf(name, content)], { schema, mostItems: 100, ...wishes }))

/** The items, with all that is said to the model for each. */
const itemsIn = async (name: string, content: string, wishes: Wishes = {}) =>
  (await keptOf(name, content, wishes)).map(({ request, instructed, ...item }) => {
    const messages = messagesBelow(instructed ? wishes.instruction?.trim() : undefined, request)
    return { ...item, request: { ...request, messages } }
  })

const faultsIn = async (name: string, content: string, instruction?: string, mostItems = 1_000) =>
  faultsOf([await fileOf(name, content)], { schema, mostItems, instruction })

const said = (...contents: string[]) =>
  contents.map(content => ({ request: { messages: [{ role: 'user', content }] } }))

const all = async <T>(source: AsyncIterable<T>): Promise<T[]> => {
  const found: T[] = []
  for await (const one of source) found.push(one)
  return found
}

describe('a text file', () => {
  it('is one item, below the instruction where there is one', async () => {
    expect(await itemsIn('a.md', '\ufeff# Title\n')).toMatchObject([
      { id: 'a.md', source: { file: 'a.md' }, ...said('# Title\n')[0] },
    ])
    expect(await itemsIn('a.txt', 'text', { instruction: ' Sum up ' })).toMatchObject(said('Sum up\n\ntext'))
  })

  it('may be longer than a prompt, as long as messages may be', async () => {
    expect(await itemsIn('a.txt', 'x'.repeat(50_000))).toHaveLength(1)
    expect((await faultsIn('a.txt', 'x'.repeat(50_001))).faults).toMatchObject([
      { file: 'a.txt', message: /50,000 characters/ },
    ])
  })
})

describe('a table', () => {
  it('is an item a row, with its own id and model, and the lines where the rows begin', async () => {
    const items = await itemsIn('a.csv', 'id,prompt,model\r\nx,"one\r\ntwo",mock\r\n\r\n,three,\r\n', {
      model: 'other',
    })
    expect(items).toMatchObject([
      { id: 'x', source: { line: 2 }, request: { model: 'mock', ...said('one\r\ntwo')[0]?.request } },
      { id: 'a.csv:5', source: { line: 5 }, request: { model: 'other', ...said('three')[0]?.request } },
    ])
  })

  it('stands below the instruction column by column', async () => {
    const items = await itemsIn('a.csv', 'id,city,people\n7,Bern,134000\n', { instruction: 'Describe' })
    expect(items).toMatchObject([{ id: '7', ...said('Describe\n\ncity: Bern\npeople: 134000')[0] }])
  })

  it.each([
    ['no column prompt', 'a,b\n1,2\n', 2, /no column prompt/],
    ['a row of other length', 'prompt,b\n1\n', 2, /has 1 cells, the header has 2/],
    ['a column twice', 'a,a\n1,2\n', 1, /twice/],
    ['a column without a name', 'a,\n1,2\n', 1, /without a name/],
    ['an open quote', 'prompt\n"x\n', 2, /no valid CSV/],
    ['an empty prompt', 'prompt,b\n,1\n', 2, /must not be empty/],
  ])('is refused for %s', async (_, content, line, message) => {
    expect((await faultsIn('a.csv', content)).faults).toEqual([
      { file: 'a.csv', line, message: expect.stringMatching(message) },
    ])
  })
})

describe('JSON', () => {
  it('is an array of prompts and items, or an object that holds them', async () => {
    const items = [
      'one',
      { id: 'x', prompt: 'two', temperature: 0 },
      { messages: [{ role: 'user', content: 'three' }] },
    ]
    for (const value of [items, { items }])
      expect(await itemsIn('a.json', JSON.stringify(value))).toMatchObject([
        { id: 'a.json[0]' },
        { id: 'x', request: { temperature: 0, ...said('two')[0]?.request } },
        said('three')[0],
      ])
  })

  it('stands below the instruction, whatever it is', async () => {
    expect(
      await itemsIn('a.jsonl', '{"a":1}\n[2]\n{"messages":[{"role":"user","content":"hi"}]}', {
        instruction: 'Do',
      }),
    ).toMatchObject([
      ...said('Do\n\n{"a":1}', 'Do\n\n[2]'),
      {
        request: {
          messages: [
            { role: 'system', content: 'Do' },
            { role: 'user', content: 'hi' },
          ],
        },
      },
    ])
  })

  it('is kept without the instruction, which is kept once for all', async () => {
    const messages = [{ role: 'user', content: 'hi' }]
    const kept = await keptOf('a.jsonl', `"one"\n${JSON.stringify({ messages })}\n{"a":1}`, {
      instruction: 'Do',
    })
    expect(kept).toMatchObject([
      { instructed: true, request: { prompt: 'one' } },
      { instructed: true, request: { messages } },
      { instructed: true, request: { prompt: '{"a":1}' } },
    ])
    expect(JSON.stringify(kept)).not.toContain('Do')
  })

  it('may be as long as messages may be, the instruction with it', async () => {
    const instruction = 'x'.repeat(40_000)
    const lengths = async (count: number) =>
      (await faultsIn('a.jsonl', `"${'y'.repeat(count)}"`, instruction)).faults
    expect(await lengths(9_998)).toEqual([])
    expect(await lengths(9_999)).toMatchObject([{ message: /at most 50,000 characters, has 50,001/ }])
  })

  it('takes the lines of an OpenAI batch as they are, also where there is an instruction', async () => {
    const messages = [{ role: 'user', content: 'hi' }]
    const line = (id: string, more: object) =>
      JSON.stringify({
        custom_id: id,
        method: 'POST',
        url: '/v1/chat/completions',
        body: { model: 'mock', messages, ...more },
      })
    const content = `\ufeff${line('a', { max_tokens: 5 })}\r\n\r\n${line('b', { max_completion_tokens: 6, temperature: 1 })}`
    expect(await itemsIn('a.jsonl', content, { instruction: 'Do' })).toMatchObject([
      { id: 'a', source: { line: 1 }, request: { model: 'mock', messages, maxTokens: 5 } },
      { id: 'b', source: { line: 3 }, request: { maxTokens: 6, temperature: 1 } },
    ])
    expect((await faultsIn('a.jsonl', line('a', { top_p: 1 }))).faults).toEqual([
      { file: 'a.jsonl', line: 1, message: 'body.top_p is not a field of this request' },
    ])
  })

  it.each([
    ['no JSON', '{"a":', /not valid JSON/],
    ['__proto__', '{"prompt":"a","__proto__":{}}', /__proto__/],
    ['a field twice', '{"prompt":"a","prompt":"b"}', /twice/],
    ['a nesting too deep', `${'['.repeat(70)}${']'.repeat(70)}`, /nested deeper/],
    ['no prompt', '{"a":1}', /neither prompt nor messages/],
    ['both', '{"prompt":"a","messages":[{"role":"user","content":"b"}]}', /exactly one/],
    ['a stream', '{"prompt":"a","stream":true}', /stream is not a field/],
    ['an unknown field', '{"prompt":"a","speed":1}', /speed is not a field/],
    ['an id that is no text', '{"prompt":"a","id":1}', /id must be a string, is number/],
    [
      'another address',
      '{"custom_id":"a","method":"POST","url":"/v1/embeddings","body":{}}',
      /url must be one of/,
    ],
    ['a line too long', `"${'x'.repeat(1_000_000)}"`, /longer than 1,000,000 bytes/],
  ])('is refused for %s, with file and line', async (_, content, message) => {
    expect((await faultsIn('a.jsonl', `"fine"\n\n${content}\n"fine"`)).faults).toEqual([
      { file: 'a.jsonl', line: 3, message: expect.stringMatching(message) },
    ])
  })
})

describe('an upload’s faults', () => {
  it('are all told at once, the first hundred in words', async () => {
    expect(await faultsIn('a.jsonl', `"fine"\n${'{}\n'.repeat(130)}`)).toMatchObject({
      faults: { length: 100, 0: { line: 2 } },
      more: 30,
      items: 1,
    })
  })

  it('include an id that another file has', async () => {
    const files = [
      await fileOf('a.jsonl', '{"id":"x","prompt":"a"}'),
      await fileOf('b.jsonl', '{"id":"x","prompt":"b"}'),
    ]
    expect((await faultsOf(files, { schema, mostItems: 10 })).faults).toEqual([
      { file: 'b.jsonl', line: 1, message: 'id is the id of another item' },
    ])
  })

  it('include more items than a job may have, and none at all', async () => {
    expect((await faultsIn('a.jsonl', '"a"\n"b"\n"c"', undefined, 2)).faults).toMatchObject([
      { line: 3, message: 'more than 2 items' },
    ])
    expect((await faultsIn('a.jsonl', '\n\n')).faults).toMatchObject([{ message: 'holds no item' }])
  })

  it('stop the reading at the first, where nobody looked for them before', async () => {
    await expect(itemsIn('a.jsonl', '"a"\n{}')).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: /^a\.jsonl:2: /,
    })
  })
})

describe.each(['a.csv', 'a.jsonl', 'a.json', 'a.txt'])('a file that cannot be read to its end: %s', name => {
  it('is closed when nobody wants more of it', async () => {
    const rows = Array.from({ length: 50_000 }, (_, index) => `"row ${index}"`)
    const lines = name === 'a.json' ? [`[${rows.join(',\n')}]`] : ['"prompt"', ...rows]
    const file = await fileOf(name, lines.join('\n'))
    const isOpen = async () => (await openPaths()).includes(file.path)
    for await (const _ of findingsIn(file, false)) {
      expect(await isOpen()).toBe(name !== 'a.txt')
      break
    }
    await expect.poll(isOpen).toBe(false)
  })

  it('fails, and does nothing worse', async () => {
    const file = { ...(await fileOf(name, '"x"')), path: directory }
    await expect(faultsOf([file], { schema, mostItems: 9 })).rejects.toMatchObject({ code: 'EISDIR' })
  })
})

const openPaths = async (): Promise<string[]> => {
  const names = await readdir('/proc/self/fd')
  return Promise.all(names.map(name => readlink(`/proc/self/fd/${name}`).catch(() => '')))
}
