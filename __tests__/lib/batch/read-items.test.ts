import { mkdtemp, readdir, readlink, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'csv-stringify/sync'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { messagesBelow } from '#lib/batch/instruction.ts'
import { cleanName, kindOf } from '#lib/batch/intake/names.ts'
import { findingsIn } from '#lib/batch/intake/read-file.ts'
import { faultsOf, readItems } from '#lib/batch/intake/read-items.ts'
import { guarded } from '#lib/batch/results.ts'
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

type Wishes = {
  instruction?: string
  model?: string
  mostItems?: number
  openAiModel?: (model: string) => string
}

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
    ['no column prompt', 'a,b\n1,2\n3,4\n', 1, /needs a "prompt" or "messages" column.*"a", "b"/],
    ['a row of other length', 'prompt,b\n1\n', 2, /has 1 cells, the header has 2/],
    ['a column twice', 'prompt,Prompt\n1,2\n', 1, /twice/],
    ['a cell in a column without a name', 'prompt,\n1,2\n', 2, /without a name/],
    ['an open quote', 'prompt\n"x\n', 2, /not valid CSV/],
    ['an empty prompt', 'prompt,b\n,1\n', 2, /must not be empty/],
  ])('is refused for %s', async (_, content, line, message) => {
    expect((await faultsIn('a.csv', content)).faults).toEqual([
      { file: 'a.csv', line, message: expect.stringMatching(message) },
    ])
  })
})

describe('a table of real people', () => {
  const prompts = async (content: string | Uint8Array) =>
    (await all(readItems([await fileOf('a.csv', content)], { schema, mostItems: 100 }))).map(
      ({ id, request }) => [id, request.prompt],
    )

  it.each<[string, string]>([
    ['semicolons', 'id;prompt\r\na;One, two?\r\n'],
    ['tabs', 'id\tprompt\na\tOne, two?\n'],
    ['sep=;', 'sep=;\r\nid;prompt\r\na;One, two?\r\n'],
    ['sep=, behind a mark', '\ufeffsep=,\r\nid,prompt\r\na,"One, two?"\r\n'],
    ['a quoted sep=|', '"sep=|"\nid|prompt\na|One, two?\n'],
    ['line breaks of old Macs', 'id,prompt\ra,"One, two?"\r'],
    ['headers in capitals, with spaces and quotes', '\ufeff" ID ", PROMPT \na,"One, two?"\n'],
    ['an index of pandas', ',id,prompt\n0,a,"One, two?"\n'],
    ['an index that was read and written again', ',Unnamed: 0,id,prompt\n0,0,a,"One, two?"\n'],
    ['an index that was so once more', 'Unnamed: 0.1,Unnamed: 0,id,prompt\n0,0,a,"One, two?"\n'],
    ['characters in its header that do not show', 'id,\u200bprompt\u00a0\na,"One, two?"\n'],
    ['a column twice that is passed over', 'id,prompt,note,note\na,"One, two?",x,y\n'],
    ['empty columns and rows of Excel', 'id,prompt,,\n,,,\n\n  , ,,\na,"One, two?",,\n,,,\n'],
    ['empty cells behind its header', 'id,prompt\na,"One, two?",,\n'],
    ['spaces before a quote', 'id, prompt\na, "One, two?"\n'],
    ['a quote that begins no cell', 'id;prompt\na;One, two?\n'],
  ])('with %s is read', async (_, content) => {
    expect(await prompts(content)).toEqual([['a', 'One, two?']])
  })

  it('keeps quotes within a cell, and line breaks within quotes', async () => {
    expect(await prompts('id,prompt\na,5" or 6"?\nb,"x ""y""\r\n\r\nz"\n')).toEqual([
      ['a', '5" or 6"?'],
      ['b', 'x "y"\r\n\r\nz'],
    ])
  })

  it('sets what its columns are called, in any spelling of them', async () => {
    const [first, second] = await keptOf(
      'a.csv',
      'ID;Prompt;Temperature;Max_Tokens;CACHE;Fallback;Model;System\n1;Hi;0,5;20;Refresh;FALSE;mock;Be brief.\n2;Hi;;50.0;null;NaN;;\n',
    )
    expect(first).toMatchObject({
      id: '1',
      request: { temperature: 0.5, maxTokens: 20, cache: 'refresh', fallback: false, model: 'mock' },
    })
    expect(first?.request.messages).toEqual([
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Hi' },
    ])
    expect(second?.request).toEqual({ prompt: 'Hi', maxTokens: 50, cache: 'default', fallback: true })
  })

  it('takes messages as JSON in a cell', async () => {
    const messages = [{ role: 'user', content: 'Hi, "you"' }]
    const cell = JSON.stringify(messages).replaceAll('"', '""')
    expect(await keptOf('a.csv', `id,messages\na,"${cell}"\n`)).toMatchObject([
      { id: 'a', request: { messages } },
    ])
  })

  it.each<[string, string, RegExp]>([
    ['temperature', 'prompt,temperature\nHi,hot\n', /temperature must be a number, is string/],
    ['temperature', 'prompt,temperature\nHi,3\n', /temperature must be from 0 to 2/],
    ['maxTokens', 'prompt,maxTokens\nHi,1.000\n', /maxTokens must be a(?: whole)? number/],
    ['maxTokens', 'prompt,maxTokens\nHi,-5\n', /maxTokens must be from 1 to/],
    ['cache', 'prompt,cache\nHi,yes\n', /cache must be one of/],
    ['fallback', 'prompt,fallback\nHi,perhaps\n', /fallback must be a boolean/],
    ['messages', "messages\n[{'role': 'user'}]\n", /messages is not valid JSON/],
    ['messages', 'id,messages\na,\n', /messages/],
    ['both', 'prompt,messages\nHi,"[{""role"":""user"",""content"":""b""}]"\n', /exactly one/],
    ['text behind quotes', 'prompt\n"Hi" there\n', /text follows the closing quote of cell 1/],
    ['an id twice', 'id,prompt\n1,a\n1,b\n', /id is used by another item/],
    ['two names of one column', 'max_tokens,maxTokens,prompt\n1,1,Hi\n', /twice/],
    ['20,000 columns', `prompt${','.repeat(20_000)}\nHi\n`, /more than 16,384 columns/],
    ['3 million columns', `prompt${','.repeat(3_000_000)}\nHi\n`, /longer than 1,000,000 characters/],
    [
      'a quote that is never closed',
      `prompt\n"Hi${'\nx'.repeat(600_000)}`,
      /longer than 1,000,000 characters/,
    ],
  ])('is refused for %s, with its line', async (_, content, message) => {
    expect((await faultsIn('a.csv', content)).faults).toEqual([
      { file: 'a.csv', line: expect.any(Number), message: expect.stringMatching(message) },
    ])
  })

  it('names the unknown columns, and no column of an index or below an instruction', async () => {
    const { warnings } = await faultsIn('a.csv', 'topic,prompt,Notes\nx,Hi,y\n')
    expect(warnings).toEqual(['a.csv: ignored unknown columns "topic", "Notes"'])
    expect((await faultsIn('a.csv', ',prompt\n0,Hi\n')).warnings).toEqual([])
    expect((await faultsIn('a.csv', 'topic,prompt\nx,Hi\n', 'Do')).warnings).toEqual([])
  })

  it('is warned of in at most 1,000 characters a file', async () => {
    const header = Array.from({ length: 5_000 }, (_, at) => `${at}${'x'.repeat(100)}`).join(',')
    const { warnings } = await faultsIn('a.csv', `prompt,${header}\nHi${','.repeat(5_000)}\n`)
    expect(warnings).toEqual([expect.stringMatching(/ and 4990 more$/)])
    expect(warnings[0]?.length).toBeLessThan(1_000)
  })

  it('leaves data below an instruction as it is, whatever its columns are called', async () => {
    const content = 'City,temperature,Model\nBern,31,x\n'
    expect(await itemsIn('a.csv', content, { instruction: 'Describe' })).toMatchObject(
      said('Describe\n\nCity: Bern\ntemperature: 31\nModel: x'),
    )
  })
})

describe('results', () => {
  it('come back from their own table as they were, formulas too', async () => {
    const texts = [
      '=1+1',
      "'=1+1",
      "''@x",
      '-5',
      '\u200b=x',
      '|cmd',
      '100%',
      "it's",
      "'quoted'",
      '\t=x',
      '＝x',
    ]
    const table = stringify(
      [['id', 'prompt'], ...texts.map((text, at) => [`=${at}`, guarded(text)])].map(([id = '', text]) => [
        guarded(id),
        text,
      ]),
    )
    const items = await keptOf('a.csv', table)
    expect(items.map(({ id }) => id)).toEqual(texts.map((_, at) => `=${at}`))
    expect(items.map(({ request }) => request.prompt)).toEqual(texts)
  })
})

describe('OpenAI’s batch lines', () => {
  const messages = [{ role: 'user', content: 'hi' }]
  const line = (body: object, more: object = {}) =>
    JSON.stringify({
      custom_id: 'a',
      method: 'POST',
      url: '/v1/chat/completions',
      body: { model: 'mock', messages, ...body },
      ...more,
    })

  it.each<[string, object]>([
    [
      'every parameter at its default',
      {
        n: 1,
        top_p: 1,
        stream: false,
        presence_penalty: 0,
        frequency_penalty: 0,
        logprobs: false,
        response_format: { type: 'text' },
        tools: [],
        tool_choice: 'none',
        modalities: ['text'],
        reasoning_effort: 'medium',
        logit_bias: {},
        user: 'ada',
      },
    ],
    [
      'null for every parameter',
      {
        temperature: null,
        max_tokens: null,
        max_completion_tokens: null,
        n: null,
        stop: null,
        tools: null,
        seed: null,
      },
    ],
    [
      'a message’s empty fields',
      { messages: [{ ...messages[0], name: null, refusal: null, tool_calls: [] }] },
    ],
  ])('are taken with %s', async (_, body) => {
    const found = await faultsIn('a.jsonl', line(body))
    expect(found).toMatchObject({ faults: [], items: 1, warnings: [] })
    const [item] = await keptOf('a.jsonl', line(body))
    expect(item?.request).toEqual({
      model: 'mock',
      messages,
      maxTokens: 1_000,
      cache: 'default',
      fallback: true,
    })
  })

  it('have developers as systems, text parts as one text, numbers as ids, and models by their vendor’s name', async () => {
    const parts = [
      { type: 'text', text: 'One' },
      { type: 'text', text: 'Two' },
    ]
    const body = {
      model: 'gpt-x-0125',
      max_completion_tokens: 7,
      messages: [
        { role: 'developer', content: 'Be kind.' },
        { role: 'user', content: parts },
      ],
    }
    const [item] = await keptOf('a.jsonl', line(body, { custom_id: 7 }), {
      openAiModel: name => `vendor/${name}`,
    })
    expect(item).toMatchObject({
      id: '7',
      request: {
        model: 'vendor/gpt-x-0125',
        maxTokens: 7,
        messages: [
          { role: 'system', content: 'Be kind.' },
          { role: 'user', content: 'One\nTwo' },
        ],
      },
    })
  })

  it.each<[object, RegExp]>([
    [
      { response_format: { type: 'json_object' } },
      /body\.response_format cannot be passed on: leave it out, or send/,
    ],
    [{ tools: [{ type: 'function' }] }, /body\.tools cannot/],
    [{ n: 2 }, /body\.n cannot be passed on: leave it out, or send 1/],
    [{ top_p: 0.5 }, /body\.top_p cannot/],
    [{ stop: 'x' }, /body\.stop cannot/],
    [{ stream: true }, /body\.stream cannot/],
    [{ logprobs: true, top_logprobs: 3 }, /body\.logprobs cannot.*body\.top_logprobs cannot/],
    [{ reasoning_effort: 'high' }, /body\.reasoning_effort cannot/],
    [
      { messages: [{ role: 'user', content: [{ type: 'image_url' }] }] },
      /body\.messages\[0\]\.content\[0\] must be a part of type text, is image_url/,
    ],
    [{ messages: [{ role: 'user', content: 'a', name: 'Ada' }] }, /body\.messages\[0\]\.name cannot/],
    [{ messages: [{ role: 'tool', content: 'a' }] }, /role must be one of/],
    [{ constructor: 1 }, /body\.constructor is not a field/],
    [{ max_tokens: 1, max_completion_tokens: 1 }, /send at most one of them/],
  ])('are refused by name for %j', async (body, message) => {
    expect((await faultsIn('a.jsonl', line(body))).faults).toEqual([
      { file: 'a.jsonl', line: 1, message: expect.stringMatching(message) },
    ])
  })

  it('are warned of once for what is not passed on and changes no meaning', async () => {
    const lines = [line({ seed: 1, store: true }), line({ seed: 2, store: true }, { custom_id: 'b' })]
    expect((await faultsIn('a.jsonl', lines.join('\n'))).warnings).toEqual([
      'a.jsonl: not passed on to the model: body parameters "seed", "store"',
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

  it('has notices of an object’s other fields, and may be 50 MB long', async () => {
    const items = '{"prompt":"Hi"}'
    const found = await faultsIn('a.json', `{"name":"x","priority":["[{"],"items":[${items}],"z":1}`)
    expect(found).toMatchObject({ faults: [], items: 1 })
    expect(found.warnings).toEqual(['a.json: ignored unknown fields "name", "priority", "z" beside "items"'])
    const long = `{"items":[${items}${`,${' '.repeat(100)}${items}`.repeat(100_000)}]}`
    expect(await faultsIn('a.json', long, undefined, 200_000)).toMatchObject({ faults: [], items: 100_001 })
  })

  it.each<[string, RegExp]>([
    ['5', /must be an array of items, or an object with items/],
    ['{}', /must be an array of items, or an object with items/],
    ['{"items":5}', /must be an array of items, or an object with items/],
    ['{"prompt":"a"}\n{"prompt":"b"}\n', /one item a line is called \.jsonl/],
    ['{"items":["a"],"items":["b"]}', /comes twice/],
    ['{"items":["a"],"b":}', /not valid JSON in line 1/],
    ['{"items":["a"]', /ends too early/],
  ])('is refused as %s', async (content, message) => {
    expect((await faultsIn('a.json', content)).faults).toEqual([
      { file: 'a.json', message: expect.stringMatching(message) },
    ])
  })

  it('has numbers for ids, with every digit, and null for what is unset', async () => {
    const content =
      '{"id":12345678901234567890,"prompt":"a"}\n{"id":null,"prompt":"b","messages":null,"model":null}'
    expect(await keptOf('a.jsonl', content)).toMatchObject([
      { id: '12345678901234567890' },
      { id: 'a.jsonl:2' },
    ])
    expect((await faultsIn('a.jsonl', '{"id":1,"prompt":"a"}\n{"id":"1","prompt":"b"}')).faults).toEqual([
      { file: 'a.jsonl', line: 2, message: 'id is used by another item' },
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

  it.each([
    ['a.jsonl', '{"id":"a"}', '{"id":"a"}'],
    ['a.jsonl', '{"id":"a","prompt":null}', '{"id":"a"}'],
    ['a.json', '[{"id":"a","prompt":null,"messages":null}]', '{"id":"a"}'],
    ['a.csv', 'id,prompt\na,\n', 'prompt: '],
    ['a.csv', 'id,model\na,mock/echo\n', 'id: a\nmodel: mock/echo'],
    ['a.csv', 'model\nmock/echo\n', 'model: mock/echo'],
  ])('needs no prompt below an instruction: %s with %j', async (name, content, own) => {
    const items = await itemsIn(name, content, { instruction: 'Do' })
    expect(items).toMatchObject(said(`Do\n\n${own}`))
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
    expect((await faultsIn('a.jsonl', line('a', { speed: 1 }))).faults).toEqual([
      { file: 'a.jsonl', line: 1, message: 'body.speed is not a field of this request' },
    ])
  })

  it.each([
    ['no JSON', '{"a":', /not valid JSON/],
    ['__proto__', '{"prompt":"a","__proto__":{}}', /__proto__/],
    ['a field twice', '{"prompt":"a","prompt":"b"}', /twice/],
    ['a nesting too deep', `${'['.repeat(70)}${']'.repeat(70)}`, /nested deeper/],
    ['no prompt', '{"a":1}', /needs "prompt" or "messages"/],
    ['both', '{"prompt":"a","messages":[{"role":"user","content":"b"}]}', /exactly one/],
    ['a stream', '{"prompt":"a","stream":true}', /stream is not a field/],
    ['an unknown field', '{"prompt":"a","speed":1}', /speed is not a field/],
    ['an id that is no text', '{"prompt":"a","id":true}', /id must be a string, is boolean/],
    [
      'another address',
      '{"custom_id":"a","method":"POST","url":"/v1/embeddings","body":{}}',
      /url must be one of/,
    ],
    ['a batch line of another vendor', '{"custom_id":"a","params":{}}', /the field body must be an object/],
    ['a line too long', `"${'x'.repeat(1_000_000)}"`, /longer than 1,000,000 bytes/],
  ])('is refused for %s, with file and line', async (_, content, message) => {
    expect((await faultsIn('a.jsonl', `"fine"\n\n${content}\n"fine"`)).faults).toEqual([
      { file: 'a.jsonl', line: 3, message: expect.stringMatching(message) },
    ])
  })
})

describe('an upload’s faults', () => {
  it('are all reported at once, the first hundred in words', async () => {
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
      { file: 'b.jsonl', line: 1, message: 'id is used by another item' },
    ])
  })

  it('include more items than a job may have, and none at all', async () => {
    expect((await faultsIn('a.jsonl', '"a"\n"b"\n"c"', undefined, 2)).faults).toMatchObject([
      { line: 3, message: 'more than 2 items' },
    ])
    expect((await faultsIn('a.jsonl', '\n\n')).faults).toMatchObject([{ message: 'has no items' }])
  })

  it('stop the reading at the first, where they were not looked for before', async () => {
    await expect(itemsIn('a.jsonl', '"a"\n{}')).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: /^a\.jsonl:2: /,
    })
  })
})

describe.each(['a.csv', 'a.jsonl', 'a.json', 'a.txt'])('a file that cannot be read to its end: %s', name => {
  it('is closed when no more of it is read', async () => {
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
