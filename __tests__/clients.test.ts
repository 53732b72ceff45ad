import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const ROOT = join(import.meta.dirname, '..')
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8')

const section = /^### Clients\n(?<text>.*?)^### /ms.exec(read('README.md'))?.groups?.text ?? ''
const [head = [], , ...rows] = section
  .split('\n')
  .filter(line => line.startsWith('| '))
  .map(line =>
    line
      .split('|')
      .slice(1, -1)
      .map(cell => cell.trim()),
  )
const tests = new Map(
  [...section.matchAll(/^\[(t\d+)\]: (\S+) "(.*)"$/gm)].map(([, name = '', file = '', title = '']) => [
    name,
    { file, title },
  ]),
)
const cells = rows.flatMap(([client = '', ...marks]) =>
  marks.flatMap((mark, at) => (mark === '' ? [] : [{ client, feature: head[at + 1] ?? '', mark }])),
)

/** Where a test of that name begins, in Vitest's, Playwright's or Python's way. */
const declares = (source: string, title: string): boolean =>
  source.includes(`'${title}'`) || new RegExp(`^ +def ${title}\\(self\\)`, 'm').test(source)

describe('README’s table of clients', () => {
  it('has the clients and features that it promises', () => {
    expect(rows.length).toBeGreaterThanOrEqual(15)
    expect(cells.length).toBeGreaterThanOrEqual(100)
    for (const feature of [
      'chat',
      'stream',
      'tools',
      'images',
      'JSON schema',
      'reasoning',
      'embeddings',
      'models',
      'errors',
    ])
      expect(head).toContain(feature)
    expect(new Set(rows.map(row => row.length))).toEqual(new Set([head.length]))
  })

  it.each(cells)('names a test that exists: $client, $feature', ({ mark }) => {
    const { file, title } = tests.get(/^\[✓\]\[(t\d+)\]$/.exec(mark)?.[1] ?? '') ?? { file: '', title: '' }
    expect(existsSync(join(ROOT, file)) && file !== '', `the test of ${mark}`).toBe(true)
    expect(declares(read(file), title), `“${title}” in ${file}`).toBe(true)
  })

  it('names no test for nothing', () => {
    const used = new Set(cells.map(({ mark }) => /\[(t\d+)\]/.exec(mark)?.[1]))
    expect([...tests.keys()].filter(name => !used.has(name))).toEqual([])
  })
})
