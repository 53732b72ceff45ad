import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { UploadLimits } from '#lib/batch/intake/limits.ts'
import { receiveUpload } from '#lib/batch/intake/receive.ts'
import { sweepUploads } from '#lib/batch/intake/upload-dir.ts'
import { GatewayError } from '#lib/errors.ts'

const UPLOAD_LIMITS: UploadLimits = {
  mostFiles: 50,
  maxFileBytes: 50_000_000,
  maxBytes: 100_000_000,
}

const BOUNDARY = 'x-boundary'
const TYPE = `multipart/form-data; boundary=${BOUNDARY}`

type Part = Readonly<{ name: string; value: string | Uint8Array; filename?: string }>

const bodyOf = (...parts: readonly Part[]): Buffer =>
  Buffer.concat([
    ...parts.flatMap(({ name, value, filename }) => [
      Buffer.from(`--${BOUNDARY}\r\ncontent-disposition: form-data; name="${name}"`),
      Buffer.from(filename === undefined ? '' : `; filename="${filename}"\r\ncontent-type: text/plain`),
      Buffer.from('\r\n\r\n'),
      Buffer.from(value),
      Buffer.from('\r\n'),
    ]),
    Buffer.from(`--${BOUNDARY}--\r\n`),
  ])

const file = (filename: string, value: string | Uint8Array = 'hello'): Part => ({
  name: 'file',
  filename,
  value,
})

const streamOf = (...chunks: readonly Uint8Array[]): ReadableStream<Uint8Array> =>
  new ReadableStream({
    start: controller => {
      for (const chunk of chunks) controller.enqueue(new Uint8Array(chunk))
      controller.close()
    },
  })

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'receive-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

const receive = (
  body: ReadableStream<Uint8Array>,
  limits: Partial<UploadLimits> = {},
  { type = TYPE, signal = new AbortController().signal } = {},
) => receiveUpload(body, type, { directory, limits: { ...UPLOAD_LIMITS, ...limits }, signal })

const send = (...parts: readonly Part[]) => receive(streamOf(bodyOf(...parts)))

const refusalOf = async (sent: Promise<unknown>): Promise<GatewayError> => {
  const outcome = await sent.catch((thrown: unknown) => thrown)
  expect(outcome).toBeInstanceOf(GatewayError)
  expect(await readdir(directory)).toEqual([])
  return outcome as GatewayError
}

describe('an upload', () => {
  it('lies on disk with clean names, in its order, beside its fields, until it is disposed of', async () => {
    const upload = await send(
      { name: 'instruction', value: 'Sum up — kurz' },
      file('a.txt', 'première'),
      file('b.JSONL', '{}'),
      { name: 'priority', value: 'high' },
    )
    expect(upload.fields).toEqual({ instruction: 'Sum up — kurz', priority: 'high' })
    expect(upload.files).toMatchObject([
      { name: 'a.txt', kind: 'text', bytes: 9 },
      { name: 'b.JSONL', kind: 'jsonl', bytes: 2 },
    ])
    const [first] = upload.files
    expect(await readFile(first?.path ?? '', 'utf8')).toBe('première')
    expect((await stat(dirname(first?.path ?? ''))).mode & 0o777).toBe(0o700)
    expect((await stat(first?.path ?? '')).mode & 0o777).toBe(0o600)
    await upload.dispose()
    expect(await readdir(directory)).toEqual([])
  })

  it('is the same however the network cuts it', async () => {
    const body = bodyOf(
      file('ä.md', '–€😀\r\n--x-bound'),
      { name: 'model', value: 'mock' },
      file('b.csv', 'a,b\r\n'),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(body.length), { maxLength: 40 }), async cuts => {
        const ends = [...cuts.toSorted((a, b) => a - b), body.length]
        const chunks = ends.map((end, index) => body.subarray(ends[index - 1] ?? 0, end))
        const upload = await receive(streamOf(...chunks))
        expect(upload.fields).toEqual({ model: 'mock' })
        expect(upload.files.map(({ name }) => name)).toEqual(['ä.md', 'b.csv'])
        const texts = await Promise.all(upload.files.map(({ path }) => readFile(path, 'utf8')))
        expect(texts).toEqual(['–€😀\r\n--x-bound', 'a,b\r\n'])
        await upload.dispose()
      }),
      { numRuns: 60 },
    )
  })

  it('is refused wherever it ends early', async () => {
    const body = bodyOf(file('a.txt'), { name: 'model', value: 'mock' }, file('b.txt'))
    const closing = `\r\n--${BOUNDARY}--`.length
    for (let end = 0; end <= body.length - closing; end += 7)
      expect(await refusalOf(receive(streamOf(body.subarray(0, end)))), `at ${end}`).toMatchObject({
        code: 'INVALID_INPUT',
      })
  })

  it('takes a file of exactly the most bytes, and none of one more', async () => {
    const limits = { maxFileBytes: 70_000 }
    const exact = await receive(streamOf(bodyOf(file('a.txt', 'x'.repeat(70_000)))), limits)
    expect(exact.files).toMatchObject([{ bytes: 70_000 }])
    await exact.dispose()
    const more = receive(streamOf(bodyOf(file('a.txt', 'x'.repeat(70_001)))), limits)
    expect(await refusalOf(more)).toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
      message: 'a.txt: is larger than 70,000 bytes.',
    })
  })

  it('takes 50 files and refuses 51', async () => {
    const files = Array.from({ length: 51 }, (_, index) => file(`${index}.txt`))
    const upload = await send(...files.slice(1))
    expect(upload.files).toHaveLength(50)
    await upload.dispose()
    expect(await refusalOf(send(...files))).toMatchObject({
      code: 'INVALID_INPUT',
      message: 'file: may be sent at most 50 times.',
    })
  })

  it('takes an empty field, which a form sends for what was left out, for none', async () => {
    const upload = await receive(
      streamOf(bodyOf({ name: 'model', value: '' }, { name: 'name', value: 'a' }, file('a.txt'))),
    )
    expect(upload.fields).toEqual({ name: 'a' })
    await upload.dispose()
  })

  it('is refused when its files together are too large', async () => {
    const parts = [file('a.txt', 'x'.repeat(60_000)), file('b.txt', 'x'.repeat(60_000))]
    expect(await refusalOf(receive(streamOf(bodyOf(...parts)), { maxBytes: 100_000 }))).toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
      message: /together/,
    })
  })

  it.each<[string, Part[], string, RegExp]>([
    ['no file', [{ name: 'model', value: 'mock' }], 'INVALID_INPUT', /file: is required/],
    ['an empty file', [file('a.txt', '')], 'INVALID_INPUT', /a\.txt: is empty/],
    ['a wrong extension', [file('a.exe')], 'UNSUPPORTED_MEDIA_TYPE', /a\.exe: must end in one of \.txt/],
    ['an unknown field', [{ name: 'speed', value: '1' }, file('a.txt')], 'INVALID_INPUT', /speed: is not/],
    ['a field of an object', [{ name: 'toString', value: '1' }], 'INVALID_INPUT', /toString: is not/],
    ['a file elsewhere', [{ ...file('a.txt'), name: 'other' }], 'INVALID_INPUT', /other: is not/],
    ['a file field without a file', [{ name: 'file', value: 'x' }], 'INVALID_INPUT', /must be a file/],
    [
      'a field twice',
      [{ name: 'model', value: 'a' }, { name: 'model', value: 'b' }, file('a.txt')],
      'INVALID_INPUT',
      /model: comes more than once/,
    ],
    [
      'a field too long',
      [{ name: 'priority', value: 'x'.repeat(101) }, file('a.txt')],
      'INVALID_INPUT',
      /priority: must have at most 100 bytes/,
    ],
    [
      'too many parts',
      [file('a.txt'), ...Array.from({ length: 64 }, () => ({ name: 'model', value: 'a' }))],
      'INVALID_INPUT',
      /comes more than once|more than 64 parts/,
    ],
    ['a PDF', [file('a.txt', '%PDF-1.7 hello')], 'UNSUPPORTED_MEDIA_TYPE', /application\/pdf/],
    [
      'a ZIP',
      [file('a.md', Buffer.from('PK\x03\x04\x14\0\0\0\x08\0', 'latin1'))],
      'UNSUPPORTED_MEDIA_TYPE',
      /zip/,
    ],
    [
      'a PNG',
      [
        file(
          'a.csv',
          Buffer.from('89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489', 'hex'),
        ),
      ],
      'UNSUPPORTED_MEDIA_TYPE',
      /image\/png/,
    ],
    [
      'a program',
      [file('a.json', Buffer.from('MZ\x90\0\x03\0', 'latin1'))],
      'UNSUPPORTED_MEDIA_TYPE',
      /type/,
    ],
    ['a NUL', [file('a.txt', 'ab\0c')], 'UNSUPPORTED_MEDIA_TYPE', /NUL at byte 2/],
    [
      'bytes that are no UTF-8',
      [file('a.txt', Buffer.from('6162e282e2', 'hex'))],
      'INVALID_INPUT',
      /UTF-8 at byte 4/,
    ],
  ])('is refused for %s, and nothing of it stays', async (_, parts, code, message) => {
    expect(await refusalOf(send(...parts))).toMatchObject({ code, message: expect.stringMatching(message) })
  })

  const QUESTION = 'id,prompt\na,Größe?\n'
  const swapped = (bytes: Buffer) => Buffer.from(bytes).swap16()
  const utf32 = (text: string, mark = '') =>
    Buffer.concat([...(mark + text)].map(one => Buffer.from(Uint32Array.of(one.codePointAt(0) ?? 0).buffer)))

  it.each<[string, Buffer, RegExp]>([
    ['UTF-16LE with its mark', Buffer.from(`\ufeff${QUESTION}`, 'utf16le'), /looks like UTF-16LE/],
    ['UTF-16LE without one', Buffer.from(QUESTION, 'utf16le'), /looks like UTF-16LE/],
    ['UTF-16BE with its mark', swapped(Buffer.from(`\ufeff${QUESTION}`, 'utf16le')), /looks like UTF-16BE/],
    ['UTF-16BE without one', swapped(Buffer.from(QUESTION, 'utf16le')), /looks like UTF-16BE/],
    [
      'Chinese UTF-16LE without a mark',
      Buffer.from('问题,答案\n你好,世界\n', 'utf16le'),
      /looks like UTF-16LE/,
    ],
    ['UTF-32LE with its mark', utf32(QUESTION, '\ufeff'), /looks like UTF-32LE/],
    ['UTF-32LE without one', utf32(QUESTION), /looks like UTF-32LE/],
    ['UTF-32BE without one', utf32(QUESTION).swap32(), /looks like UTF-32BE/],
    [
      'windows-1252',
      Buffer.from(QUESTION, 'latin1'),
      /UTF-8 at byte 14; it looks like windows-1252 \(Latin-1\)/,
    ],
    ['a last letter of windows-1252', Buffer.from('caf\xe9', 'latin1'), /at byte 3.*windows-1252/],
    ['windows-1252 after a megabyte', Buffer.from(`${'x'.repeat(1e6)}\n\xe4`, 'latin1'), /at byte 1000001/],
    ['windows-1251', Buffer.from('cff0e8e2e5f22c20ece8f021', 'hex'), /looks like windows-1251/],
    ['Shift_JIS', Buffer.from('82b182f182c982bf82cd0a83658358836783672e', 'hex'), /looks like Shift_JIS/],
    ['UTF-8 that was cut', Buffer.from('Größe: 5 €').subarray(0, -1), /ends within a character/],
    [
      'UTF-8 with a letter of Latin-1',
      Buffer.from('R\xc3\xa4ume und R\xe4ume', 'latin1'),
      /UTF-8 that was damaged/,
    ],
  ])('in %s is refused with the name of the file and of the encoding', async (_, bytes, message) => {
    expect(await refusalOf(send(file('fine.txt'), file('bad.csv', bytes)))).toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringMatching(message),
      details: [{ path: 'bad.csv' }],
    })
  })

  it('in UTF-8 with its mark is taken', async () => {
    const upload = await send(file('a.csv', `\ufeff${QUESTION}`))
    expect(upload.files).toMatchObject([{ name: 'a.csv' }])
    await upload.dispose()
  })

  const rawPart = (headers: string): Buffer =>
    Buffer.concat([Buffer.from(`--${BOUNDARY}\r\n${headers}\r\n\r\nx\r\n`), bodyOf(file('a.txt'))])
  const NAMED = 'content-disposition: form-data; name="model"'

  it.each<[string, string, RegExp]>([
    ['headers of 3 MB', `${NAMED}\r\nx: ${'x'.repeat(3_000_000)}`, /headers are longer than 8,192 bytes/],
    ['headers of 8,193 bytes', `${NAMED}\r\nx: ${'x'.repeat(8_193)}`, /headers are longer than 8,192 bytes/],
    ['a name of 3 MB', `${NAMED.slice(0, -1)}${'x'.repeat(3_000_000)}"`, /headers are longer/],
    [
      '21 headers',
      [NAMED, ...Array.from({ length: 21 }, (_, at) => `x-${at}: 1`)].join('\r\n'),
      /20 headers/,
    ],
    ['no disposition', 'content-type: text/plain', /without content-disposition/],
    ['another disposition', 'content-disposition: attachment; name="model"', /without content-disposition/],
    ['no name', 'content-disposition: form-data; filename="a.txt"', /without content-disposition/],
    ['an empty name', 'content-disposition: form-data; name=""', /field without a name/],
    ['base64', `${NAMED}\r\ncontent-transfer-encoding: base64`, /content-transfer-encoding/],
  ])('with a part that has %s is refused', async (_, headers, message) => {
    const body = rawPart(headers)
    for (const size of [7, 65_536]) {
      if (size === 7 && body.length > 100_000) continue
      const chunks = Array.from({ length: Math.ceil(body.length / size) }, (_, at) =>
        body.subarray(at * size, (at + 1) * size),
      )
      expect(await refusalOf(receive(streamOf(...chunks)))).toMatchObject({
        code: 'INVALID_INPUT',
        message: expect.stringMatching(message),
      })
    }
  })

  it('hides no long headers after the line break that ends those of an empty part', async () => {
    const empty = `--${BOUNDARY}\r\n${NAMED}\r\n`
    const body = Buffer.from(`${empty}\r\n--${BOUNDARY}\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`)
    expect((await refusalOf(receive(streamOf(body)))).message).toMatch(/headers are longer/)
  })

  it('with a field of 3 MB is refused before all of it has come', async () => {
    let sent = 0
    const begin = Buffer.from(`--${BOUNDARY}\r\n${NAMED}\r\n\r\n`)
    const endless = new ReadableStream<Uint8Array>({
      pull: controller => {
        controller.enqueue(new Uint8Array(sent === 0 ? begin : Buffer.alloc(65_536, 'x')))
        sent += 65_536
      },
    })
    expect((await refusalOf(receive(endless))).message).toMatch(/more than 2 MB besides its files/)
    expect(sent).toBeLessThan(3_000_000)
  })

  it('tells the first byte that is no UTF-8, wherever the network cuts', async () => {
    const text = `${'é'.repeat(3_000)}😀`
    const body = bodyOf(file('a.txt', Buffer.concat([Buffer.from(text), Buffer.from([0xe2, 0x28])])))
    for (const size of [1, 7, 4_096]) {
      const chunks = Array.from({ length: Math.ceil(body.length / size) }, (_, index) =>
        body.subarray(index * size, (index + 1) * size),
      )
      expect((await refusalOf(receive(streamOf(...chunks)))).message).toContain('at byte 6005')
    }
  })

  it.each([
    ['application/json', 'UNSUPPORTED_MEDIA_TYPE'],
    ['multipart/form-data', 'INVALID_INPUT'],
  ])('is refused as %s', async (type, code) => {
    const sent = receive(streamOf(bodyOf(file('a.txt'))), {}, { type })
    expect(await refusalOf(sent)).toMatchObject({ code })
  })

  it('is forgotten at once when its sender goes away in the middle', async () => {
    const leave = new AbortController()
    const stalled = new ReadableStream<Uint8Array>(
      {
        start: controller => controller.enqueue(new Uint8Array(bodyOf(file('a.txt')).subarray(0, 100))),
        // Asked for more, so what had come has been read.
        pull: () => leave.abort(),
      },
      { highWaterMark: 0 },
    )
    const sent = receive(stalled, {}, { signal: leave.signal })
    expect(await refusalOf(sent)).toMatchObject({ code: 'CLIENT_GONE' })
  })

  it('stops reading once it is refused', async () => {
    let read = 0
    const begin = bodyOf(file('a.txt', Buffer.concat([Buffer.from([0]), Buffer.alloc(70_000, 'x')])))
    const endless = new ReadableStream<Uint8Array>({
      pull: controller => {
        read += 1
        controller.enqueue(
          read === 1 ? new Uint8Array(begin.subarray(0, -20)) : new Uint8Array(65_536).fill(97),
        )
      },
    })
    expect(await refusalOf(receive(endless))).toMatchObject({ code: 'UNSUPPORTED_MEDIA_TYPE' })
    expect(read).toBeLessThan(20)
  })
})

describe('what a process has left that died in an upload', () => {
  it('is removed once it is old, and nothing else is', async () => {
    const sentLately = await send(file('a.txt', 'Kept'))
    await mkdir(join(directory, 'upload-old'))
    await writeFile(join(directory, 'upload-old', 'part'), 'x')
    await mkdir(join(directory, 'something-else'))
    const longAgo = new Date(Date.now() - 7_200_000)
    for (const name of ['upload-old', 'something-else']) await utimes(join(directory, name), longAgo, longAgo)
    await sweepUploads(directory, Date.now() - 3_600_000)
    const left = await readdir(directory)
    expect(left).toHaveLength(2)
    expect(left).toContain('something-else')
    await sentLately.dispose()
    expect(await readdir(directory)).toEqual(['something-else'])
  })

  it('is nothing where nothing was ever uploaded', async () => {
    await expect(sweepUploads(join(directory, 'nowhere'), Date.now())).resolves.toBeUndefined()
  })
})
