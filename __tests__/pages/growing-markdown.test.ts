import fc from 'fast-check'
import type { ElementContent, Nodes, RootContent } from 'hast'
import { expect, test } from 'vitest'
import { blockHtml, itemHtml, listAttributes } from '../../app/(console)/markdown/draw.ts'
import { GrowingMarkdown, type Split } from '../../app/(console)/markdown/growing-markdown.ts'
import { parse, toSafeHtml } from '../../app/(console)/markdown/parse.ts'
import type { Piece } from '../../app/(console)/markdown/pieces.ts'
import { LONG_ANSWER } from './support/long-answer.ts'

const LINES = [
  '',
  '',
  'Plain words, then more.',
  'More with **bold**, `code` and \\(x_1 * y_2\\).',
  '# Heading',
  '===',
  '---',
  '- one',
  '- two\n\n  with a paragraph',
  '- [ ] to do',
  '- [x] done',
  '* other marker',
  '  - nested',
  '    - nested deeper',
  '1. first',
  '2. second',
  '7) other delimiter',
  '   continued',
  '    indented code',
  '\ttabbed',
  '> quoted',
  '> - quoted list',
  '| a | b |',
  '|---|---|',
  '| 1 | `2` |',
  '```ts',
  '```',
  '~~~',
  '  ```',
  '<div>',
  '</div>',
  '<!-- comment',
  '-->',
  '<script>',
  '</script>',
  'See [the page][page] and [page].',
  '[page]: https://example.com/a "Title"',
  '[other]:',
  '"Title over lines',
  '> [page]: https://example.com/quoted',
  'Noted.[^note]',
  '[^note]: The note.',
  '\\[',
  '\\]',
  '\\[ a + b \\]',
  '+ c',
  '-',
  '2',
  '***',
  'مرحبا بالعالم',
  'Windows line\r',
  '\r',
]

const documents = fc.array(fc.constantFrom(...LINES), { maxLength: 16 }).map(lines => lines.join('\n'))
const cuts = fc.array(fc.nat(400), { maxLength: 12 })

/** A tree without positions, its neighbouring texts joined. */
function plain(nodes: readonly Nodes[]): unknown[] {
  const seen: { type: string; value?: string }[] = []
  for (const node of nodes) {
    const last = seen.at(-1)
    if (node.type === 'text' && last?.type === 'text') last.value += node.value
    else if (node.type === 'text') seen.push({ type: 'text', value: node.value })
    else if (node.type === 'element') {
      const properties = Object.fromEntries(
        Object.entries(node.properties).filter(([, value]) => value !== undefined),
      )
      seen.push({ ...node, properties, position: undefined, children: plain(node.children) } as never)
    }
  }
  return seen
}

const newLine: RootContent = { type: 'text', value: '\n' }

function htmlOf(piece: Piece, definitions: string): RootContent[] {
  if (piece.type === 'block') return blockHtml(piece.source, definitions, 'a-')
  const items = piece.items.map(item => itemHtml(item, piece.loose, definitions))
  const { className, start } = listAttributes(piece)
  const children: ElementContent[] = [
    ...items.flatMap(item => [newLine, item] as ElementContent[]),
    newLine as ElementContent,
  ]
  return [
    {
      type: 'element',
      tagName: piece.ordered ? 'ol' : 'ul',
      properties: { ...(className && { className: [className] }), ...(start !== undefined && { start }) },
      children,
    },
  ]
}

const drawn = ({ pieces, definitions }: Split): unknown[] => {
  const blocks = pieces.map(piece => htmlOf(piece, definitions)).filter(html => html.length > 0)
  return plain(blocks.flatMap((html, index) => (index > 0 ? [newLine, ...html] : html)))
}

const whole = (text: string): unknown[] => plain(toSafeHtml(parse(text), 'a-').children)

function streamed(text: string, at: readonly number[]): Split {
  const growing = new GrowingMarkdown()
  for (const end of at.map(cut => cut % (text.length + 1)).toSorted((a, b) => a - b))
    growing.update(text.slice(0, end))
  return growing.finished(text)
}

test('an answer that came in any pieces looks as if it had been parsed at once', () => {
  fc.assert(
    fc.property(documents, cuts, (text, at) => {
      expect(drawn(streamed(text, at))).toEqual(whole(text))
    }),
    { numRuns: process.env.SOAK ? 1_500 : 500 },
  )
})

test('an answer without references looks at every moment as if its text so far had been parsed at once', () => {
  const unreferenced = documents.filter(text => !/\]:/.test(text))
  fc.assert(
    fc.property(unreferenced, cuts, (text, at) => {
      const growing = new GrowingMarkdown()
      for (const end of at.map(cut => cut % (text.length + 1)).toSorted((a, b) => a - b)) {
        const part = text.slice(0, end)
        expect(drawn(growing.update(part))).toEqual(whole(part))
      }
    }),
    {
      numRuns: process.env.SOAK ? 800 : 250,
      examples: [
        // Blank lines in code that nothing but the next item ends.
        ['-\n  ```\n\n\n- [x] done', [11]],
        // What begins like a list, after indented code.
        ['    - nested deeper\n\r\n> - quoted list', [25]],
        ['    - nested deeper\n\n- -\n- two', [23, 24, 29]],
      ],
    },
  )
})

/** The longest time of the processor, in milliseconds, that a further piece of the text takes to parse and draw. */
function longestStep(text: string): number {
  const growing = new GrowingMarkdown()
  const drawnAlready = new Set<string>()
  let longest = 0
  for (let end = 60; end < text.length; end += 60) {
    const before = process.threadCpuUsage()
    for (const piece of growing.update(text.slice(0, end)).pieces) {
      const sources = piece.type === 'block' ? [piece.source] : piece.items
      for (const source of sources.filter(one => !drawnAlready.has(one))) {
        if (piece.type === 'block') blockHtml(source, '', '')
        else itemHtml(source, piece.loose, '')
        drawnAlready.add(source)
      }
    }
    const { user, system } = process.threadCpuUsage(before)
    longest = Math.max(longest, (user + system) / 1_000)
  }
  return longest
}

test.each([
  ['an ordinary one', LONG_ANSWER],
  [
    'one list',
    Array.from(
      { length: 120 },
      (_, index) => `${index + 1}. **Item**: some words about it, with \`code\`.`,
    ).join('\n'),
  ],
])('no piece of an 8 kB answer takes the processor more than 12.5 ms, a quarter of 50: %s', (_, text) => {
  // The first rounds are slower: the code is not compiled yet.
  const rounds = Array.from({ length: 5 }, () => longestStep(text))
  expect(Math.min(...rounds)).toBeLessThanOrEqual(12.5)
})
