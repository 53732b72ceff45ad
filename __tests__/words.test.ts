import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseAst } from 'rolldown/parseAst'
import { describe, expect, it } from 'vitest'

const ROOT = join(import.meta.dirname, '..')
const FILES = globSync(
  [
    'lib/**/*.ts',
    'app/**/*.{ts,tsx}',
    'bench/**/*.{ts,md}',
    'scripts/**/*.ts',
    '*.ts',
    'README.md',
    'CHANGELOG.md',
    '.env.example',
  ],
  { cwd: ROOT },
)

const TESTS = globSync('__tests__/**/*.{test,spec}.ts', { cwd: ROOT })
const ALL_TESTS = globSync('__tests__/**/*.ts', { cwd: ROOT })

/** A retired word, what to write instead, a line that the rule must find, and the folder where it is retired. */
type Rule = Readonly<{ word: RegExp; use: string; example: string; under?: string }>

/** Beginnings of docstrings that cannot be understood without the code around them. */
const DEPENDENT: Rule = {
  word: /^\s*\/\*\* (?:Of|Those|That of|As|The same|By|Likewise|With|And|So) /,
  use: 'what the thing is or does',
  example: '/** Of its rows in the ledger. */',
}

/** Names are checked as words: `openVisits`, `open-visits` and `OPEN_VISITS` all read “open Visits”. */
const WORDS: readonly Rule[] = [
  { word: /\bmakings\b/i, use: '…Deps', example: 'cacheMakings' },
  { word: /\bvisit(?:s|ed|ing|ors?)?\b/i, use: 'request, user', example: 'openVisits' },
  { word: /\bdesks?\b/i, use: 'service', example: 'class BatchDesk' },
  { word: /\bpostman\b/i, use: 'WebhookSender', example: 'new Postman()' },
  { word: /\battend(?:ance|s|ed|ing)?\b/i, use: 'heartbeat', example: 'records.attend(id)' },
  { word: /\bbells?\b/i, use: 'WorkSignal, NotificationBadge', example: 'redisBell' },
  { word: /\bnews of\b/i, use: 'change, ChangeNotifier', example: 'the next news of a job' },
  { word: /\btroubles?\b/i, use: 'error, onError', example: 'onTrouble' },
  { word: /\b(?:shelf|shelves)\b/i, use: 'ProviderListing', example: 'providerShelves' },
  { word: /\bremed(?:y|ies)\b/i, use: 'setupHint, what to do', example: 'shelf.remedy' },
  { word: /\bwish(?:es|ed)?\b/i, use: 'options', example: 'jobWishes' },
  { word: /\btreatments?\b/i, use: 'ResolvedCacheRule', example: 'treatmentOf' },
  { word: /\bwalk(?:s|ed|ing)?\b/i, use: 'deliverDue, iterate', example: 'postman.walk()' },
  { word: /\btold\b/i, use: 'is called with, is reported', example: 'Told of each failure.' },
  { word: /\bwho(?:m)?ever\b/i, use: 'name the subject', example: 'whoever comes back' },
  { word: /\b(?:no|some|any|every)body\b/i, use: 'name the subject', example: 'nobody waits' },
  { word: /(?:\*\*|\/\/|[.:]) Who [a-z]+/, use: 'name the subject', example: '/** Who asks. */' },
  { word: /\btak(?:es?|ing|en) down\b/i, use: 'record', example: 'Takes down a request.' },
  { word: /\b(?:broken|br(?:ea|o)k(?:es?|s|ing)?) off\b/i, use: 'abort', example: 'breakOff()' },
  { word: /\bg(?:ave|ive[sn]?|iving) up\b/i, use: 'time out, abort, cancel', example: 'giveUpAt' },
  { word: /\bg(?:ave|ive[sn]?|iving) way\b/i, use: 'deferBackground', example: 'giveWay' },
  { word: /\b(?:im)?patien(?:ce|t|tly)\b/i, use: 'withTimeout, ReconnectBackoff', example: '#patiently' },
  { word: /(?<!\bin )\bflights?\b/i, use: 'InFlight', example: 'class Flights' },
  {
    word: /\b(?:left|leaves?|leaving)(?: \w+)? alone\b/i,
    use: 'cooldown, not called',
    example: 'left alone',
  },
  { word: /\brests\b|\bgiven a rest\b/i, use: 'cooldown', example: 'the rests of a target' },
  { word: /'rest'|"rest"/, use: 'api', example: "surface: 'rest'" },
  { word: /\bcooling\b/i, use: 'Cooldowns', example: 'class Cooling' },
  { word: /\bkeep house\b|\bhouse ?keeping\b/i, use: 'runMaintenance', example: 'keepHouse()' },
  { word: /\bhopeless\b/i, use: 'isPoisonItem', example: 'isHopeless(claim)' },
  { word: /\bcut offs\b/i, use: 'lostRuns', example: 'claim.cutOffs' },
  { word: /\bcomplaints?\b/i, use: 'throttledWarnings', example: 'const complaints' },
  { word: /\bnonsense\b|\bmakes? no sense\b/i, use: 'malformed', example: 'nonsenseError' },
  { word: /'grown'/, use: 'too-large', example: "end === 'grown'" },
  { word: /\bgreets?\b/i, use: 'startWithPing', example: 'greets: true' },
  { word: /\bfillers?\b/i, use: 'keepAlive', example: 'filler?: Uint8Array' },
  { word: /\bprimed\b/i, use: 'prefetched', example: 'primed(source)' },
  { word: /\bone per\b(?=\()/i, use: 'lazyMap', example: 'onePer(create)' },
  { word: /\babandon(?:s|ed|ing)?\b/i, use: 'abort, cancel', example: 'stream.abandon()' },
  { word: /\blasting\b/i, use: 'Runtime, resumableStream', example: 'lastingAnswer' },
  { word: /\bstanding\b/i, use: 'Runtime, state', example: 'type Standing = {}' },
  { word: /\ballowances?\b/i, use: 'RateHeadroom, HedgeBudget', example: 'onAllowance' },
  { word: /\bwatchers?\b/i, use: 'ReplyObserver, SubscriberLimit', example: 'class Watchers' },
  { word: /\blost time\b/i, use: 'cpu-steal', example: 'lostTimeShare' },
  { word: /\busual ms\b/i, use: 'p95Ms', example: 'usualMs' },
  {
    word: /\btells usage unasked\b|\bwants completion tokens\b/i,
    use: 'alwaysSendsUsage',
    example: 'tellsUsageUnasked',
  },
  { word: /\bthe records fail\b/i, use: 'database operation failed', example: 'while the records fail' },
  {
    word: /\bbehind\b(?!(?: an?| the| one| same| NAT64)*(?: \w+)? (?:proxy|proxies|router|translator)\b| proxies)/i,
    use: 'after',
    example: 'the frames behind a position',
  },
  DEPENDENT,
]

/** Names in `lib` that were one word for several ideas. Checked as they are written. */
const NAMES: readonly Rule[] = [
  {
    word: /\b(?:type|interface|class) (?:Parts|Live|Composed|CacheState|Host|Origin|Answers?|Seen|Pace|Told|Fault)\b/,
    use: 'Runtime, LiveConfig, ServeDeps, ClientInfo, RouteResponse, StoredReplies, Stats, Result, Issue',
    example: 'export type Origin = Readonly<{}>',
  },
  {
    word: /^(?!\s*(?:\*|\/)).*\b(?!refusals?\b)\w*[rR]efusals?\b(?=[A-Z]?\w*\()/,
    use: 'upstreamErrorBody, cooldownError',
    example: '  this.#recordRefusal(claim)',
  },
  { word: /first.?token/i, use: 'first content', example: 'new FirstTokenTimes()' },
  { word: /\bclass Reader\b/, use: 'ReplyReader, TranscriptReader', example: 'export class Reader {' },
  // A batch is a job of many items.
  // Of API keys it is the term of the field.
  {
    word: /\brevok(?:es?|ed|ing)\b/i,
    use: 'abort, cancel',
    example: 'lease.revoke()',
    under: 'lib/batch',
  },
  ...['lib/llm', 'lib/cache', 'lib/resume', 'lib/resilience', 'lib/routing'].map(under => ({
    word: /batch/i,
    use: 'events, EventGroup',
    example: '    onBatch(batch) {',
    under,
  })),
  // A dialect is the format of a client.
  { word: /dialect/i, use: 'OpenAiVariant, variant', example: 'dialect: OpenAiDialect', under: 'lib/llm' },
  { word: /\b(?:is)?[kK]e(?:pt|ep)\b/, use: 'stored, store', example: 'isKept: boolean', under: 'lib/cache' },
  ...['lib/routing', 'lib/resilience', 'lib/observability'].map(under => ({
    word: /\bseen\b/,
    use: 'stats, times, headroom',
    example: 'seen?: TargetStats',
    under,
  })),
]

/** What a retired word still stands in for a reason. `text` is left out of the check, in `file` or everywhere. */
const EXCEPTIONS: readonly Readonly<{ text: string; file?: string; why: string }>[] = [
  { text: 'cut_offs', why: 'a database column' },
  { text: 'key.revoke', why: 'a public name of an action' },
  { text: 'FSWatcher', why: 'a class of Node' },
  { text: 'outstanding', why: 'a word of its own' },
  { text: 'patient teacher', file: 'bench/conversation.ts', why: 'a prompt' },
  { text: 'Somebody told', file: 'bench/conversation.ts', why: 'a prompt' },
  { text: 'help anybody', file: 'bench/conversation.ts', why: 'a prompt' },
  { text: 'cache-tags: news', file: 'README.md', why: 'an example of a tag' },
  { text: '{"tag":"news"}', file: 'README.md', why: 'an example of a tag' },
  { text: 'firstTokenMs', why: 'a public name' },
  { text: 'batch: 0.5', why: 'a service tier of vendors' },
  { text: '`batch`', file: 'lib/llm/providers/definition.ts', why: 'a service tier of vendors' },
  { text: 'FIRST_TOKEN_TIMEOUT_MS', why: 'a public name' },
  { text: 'told', file: 'lib/guardrails/injection/phrases.ts', why: 'words of an attack' },
  { text: 'told', file: 'lib/guardrails/injection/words.ts', why: 'words of an attack' },
  { text: 'abandon', file: 'lib/guardrails/injection/words.ts', why: 'words of an attack' },
  { text: 'told', file: 'bench/guardrails/known-attacks.ts', why: 'words of an attack' },
  ...[
    'lib/evaluation/types.ts',
    'lib/evaluation/registry.ts',
    'lib/evaluation/with-model.ts',
    'lib/evaluation/graders/judge.ts',
    'lib/evaluation/runs/service.ts',
    'lib/validation/evaluation.ts',
    'lib/validation/evaluation-runs.ts',
    'app/(console)/evaluations/start-form.tsx',
    'README.md',
    'CHANGELOG.md',
  ].map(file => ({ text: 'judge', file, why: 'the field’s term for a model that grades' })),
  { text: 'JudgeSpec', why: 'of a model that grades' },
  { text: 'postman-key', why: 'a vendor' },
  { text: '`rest`', file: 'CHANGELOG.md', why: 'a former public name' },
]

type Node = Readonly<Record<string, unknown>> & Readonly<{ type: string; start: number }>

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'

/** The name that a chain of calls begins with: `it` of `it.skipIf(x).each(rows)(title, test)`. */
const firstName = (node: unknown): unknown =>
  isNode(node) ? (node.name ?? firstName(node.object ?? node.callee ?? node.tag)) : undefined

const textOf = (node: unknown): string | undefined => {
  if (!isNode(node)) return undefined
  if (node.type === 'Literal') return typeof node.value === 'string' ? node.value : undefined
  if (node.type !== 'TemplateLiteral' || !Array.isArray(node.quasis)) return undefined
  return node.quasis.map(({ value }) => value.cooked).join('…')
}

/** The titles of tests and of their groups, with their positions. */
const titlesIn = (node: unknown): readonly Readonly<{ title: string; start: number }>[] => {
  if (Array.isArray(node)) return node.flatMap(titlesIn)
  if (typeof node !== 'object' || node === null) return []
  const inner = Object.values(node).flatMap(titlesIn)
  if (!isNode(node) || node.type !== 'CallExpression' || !Array.isArray(node.arguments)) return inner
  if (!['it', 'test', 'describe'].includes(String(firstName(node.callee)))) return inner
  const title = textOf(node.arguments[0])
  return title === undefined ? inner : [{ title, start: node.start }, ...inner]
}

const retiredInTitles = (file: string, source: string): string[] =>
  titlesIn(parseAst(source, { lang: 'ts' })).flatMap(({ title, start }) => {
    const line = source.slice(0, start).split('\n').length
    return retiredIn('', title).map(fault => fault.replace(/^:1/, `${file}:${line}`))
  })

const without = (file: string, line: string): string =>
  EXCEPTIONS.filter(one => one.file === undefined || one.file === file).reduce(
    (text, { text: allowed }) => text.replaceAll(allowed, ''),
    line,
  )

const asWords = (line: string): string =>
  line.replace(/([a-z0-9])([A-Z])/g, '$1 $2').replace(/(?<=\w)[_-](?=\w)/g, ' ')

/** Retired words of a text, those of which a phrase goes on in the next line included. */
const retiredIn = (file: string, text: string, rules = WORDS): string[] => {
  const lines = text.split('\n').map(line => without(file, line))
  return lines.flatMap((line, index) => {
    const words = asWords(line)
    const next = (lines[index + 1] ?? '').replace(/^\s*(?:\*|\/\/|#)?\s*/, '')
    const passage = `${words} ${asWords(next)}`
    const found = [
      ...rules.map(rule => ({ rule, match: rule.word.exec(passage) })),
      ...NAMES.map(rule => ({
        rule,
        match: file.startsWith(`${rule.under ?? 'lib'}/`) ? rule.word.exec(line) : null,
      })),
    ]
    return found.flatMap(({ rule, match }) =>
      match && match.index < words.length
        ? [`${file}:${index + 1}: “${match[0].trim()}”, write instead: ${rule.use}`]
        : [],
    )
  })
}

describe('the words of code, messages, comments, documents and test titles', () => {
  it('are plain English and the terms of the field, none of those that were retired', () => {
    expect(FILES.length).toBeGreaterThan(400)
    expect(FILES.flatMap(file => retiredIn(file, readFileSync(join(ROOT, file), 'utf8')))).toEqual([])
  })

  it('are those of test titles too', () => {
    expect(TESTS.length).toBeGreaterThan(250)
    const faults = TESTS.flatMap(file => retiredInTitles(file, readFileSync(join(ROOT, file), 'utf8')))
    expect(faults).toEqual([])
  })

  it.each([
    "it('is told so', () => {})",
    "describe.each(HOSTS)('whoever asks, under %s', () => {})",
    "it.skipIf(x).each`a`('gives up', () => {})",
    'test(`nobody`, async () => {})',
  ])('are found in the title of %s', source => {
    expect(retiredInTitles('any.test.ts', `\n${source}`)).toEqual([
      expect.stringMatching(/^any\.test\.ts:2: “/),
    ])
  })

  it('are those of docstrings of tests too', () => {
    expect(ALL_TESTS.length).toBeGreaterThan(TESTS.length)
    const faults = ALL_TESTS.flatMap(file =>
      retiredIn(file, readFileSync(join(ROOT, file), 'utf8'), [DEPENDENT]),
    )
    expect(faults).toEqual([])
  })

  it.each([
    '/** The same without a look at its requests. */',
    '  /** Those that have been read. */',
    '/** As `Date.now()`. */',
    '/**\n * With a newer version every answer fails.\n */',
  ])('begin no docstring as in %j', docstring => {
    expect(retiredIn('app/any.ts', `\n${docstring}`)).toEqual([expect.stringMatching(/^app\/any\.ts:2: “/)])
  })

  it.each([
    '/** Asks for an answer. */',
    '/** A price, as of now. */',
    '// The same text has the same vector.',
  ])('may begin a comment as in %j', comment => {
    expect(retiredIn('app/any.ts', comment)).toEqual([])
  })

  it.each([...WORDS, ...NAMES])('retire “$example”', ({ example, use, under = 'lib' }) => {
    expect(retiredIn(`${under}/any.ts`, example)).toContainEqual(expect.stringContaining(use))
  })

  it('are found in a phrase that goes on in the next line, with file and line', () => {
    expect(retiredIn('lib/any.ts', '\n/** The target is left\n * alone for a while. */')).toEqual([
      'lib/any.ts:2: “left alone”, write instead: cooldown, not called',
    ])
  })

  it.each(EXCEPTIONS.filter(({ why }) => why !== 'a word of its own'))(
    'make an exception of “$text” ($why), which is still written',
    ({ text, file }) => {
      expect(
        FILES.some(one => (!file || one === file) && readFileSync(join(ROOT, one), 'utf8').includes(text)),
      ).toBe(true)
    },
  )
})
