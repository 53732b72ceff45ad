import { globSync, readFileSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { describe, expect, it } from 'vitest'
import { configFile } from '#lib/config/file-schema.ts'
import { environment, SECRETS } from '#lib/config/schema.ts'
import { ERRORS } from '#lib/errors.ts'
import { MEDIA_PROVIDERS, PROVIDERS } from '#lib/llm/providers/registry.ts'

const ROOT = join(import.meta.dirname, '..')
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8')
const sources = globSync(['lib/**/*.ts', 'app/**/*.{ts,tsx}', '*.ts', 'bench/**/*.ts'], { cwd: ROOT })

/** The files of this project that a file imports. */
const importsOf = (file: string): string[] =>
  [...read(file).matchAll(/(?:from|import)\s*\(?\s*'((?:\.|#lib\/)[^']+)'/g)].map(([, path = '']) =>
    path.startsWith('#lib/') ? path.slice(1) : relative(ROOT, join(ROOT, dirname(file), path)),
  )

/** What every file may import: it imports nothing of what is built on it. */
const FOUNDATION = [
  'lib/canonical-json.ts',
  'lib/clock.ts',
  'lib/compose.ts',
  'lib/errors.ts',
  'lib/json-codes.ts',
  'lib/caller.ts',
  'lib/long-json.ts',
  'lib/loop-turns.ts',
  'lib/raw-json.ts',
  'lib/request-context.ts',
  'lib/cache-kinds.ts',
  'lib/glob.ts',
  'lib/money.ts',
  'lib/system-error.ts',
  'lib/thread-program.ts',
  'lib/sliding-quantile.ts',
  'lib/llm/message.ts',
  'lib/llm/passthrough.ts',
  'lib/llm/types.ts',
]
const FOUNDATION_AND_REPLIES = [
  ...FOUNDATION,
  'lib/llm/events.ts',
  'lib/llm/hidden-usage.ts',
  'lib/llm/openai-tool-call.ts',
  'lib/llm/passthrough-size.ts',
  'lib/llm/prompt-size.ts',
]

/** Who may import what, besides its own folder. The longest prefix that fits a file is its rule. */
const RULES: Readonly<Record<string, readonly string[]>> = {
  'lib/canonical-json.ts': [],
  'lib/clock.ts': [],
  'lib/compose.ts': [],
  'lib/errors.ts': [],
  'lib/glob.ts': [],
  'lib/cache-kinds.ts': ['lib/glob.ts'],
  'lib/money.ts': [],
  'lib/system-error.ts': [],
  'lib/thread-program.ts': [],
  'lib/sliding-quantile.ts': [],
  'lib/json-codes.ts': [],
  'lib/caller.ts': [],
  'lib/long-json.ts': ['lib/json-codes.ts', 'lib/loop-turns.ts'],
  'lib/raw-json.ts': ['lib/json-codes.ts', 'lib/loop-turns.ts'],
  'lib/public-address.ts': [],
  'lib/loop-turns.ts': ['lib/clock.ts'],
  'lib/sse-parser.ts': [],
  'lib/request-context.ts': FOUNDATION,
  'lib/llm/message.ts': [],
  'lib/llm/passthrough.ts': ['lib/raw-json.ts'],
  'lib/llm/types.ts': FOUNDATION,
  'lib/llm': [...FOUNDATION_AND_REPLIES, 'lib/llm/providers/definition.ts'],
  'lib/llm/providers': [...FOUNDATION_AND_REPLIES, 'lib/sse-parser.ts'],
  'lib/routing': FOUNDATION_AND_REPLIES,
  'lib/resilience': FOUNDATION_AND_REPLIES,
  'lib/rate-limit': [...FOUNDATION_AND_REPLIES, 'lib/storage/redis/client.ts'],
  'lib/storage': FOUNDATION_AND_REPLIES,
  'lib/storage/records': [...FOUNDATION_AND_REPLIES, 'lib/storage/directory.ts'],
  'lib/storage/redis': [
    ...FOUNDATION_AND_REPLIES,
    'lib/storage/types.ts',
    'lib/resilience/breaker/circuit.ts',
  ],
  'lib/cache': [...FOUNDATION_AND_REPLIES, 'lib/storage/types.ts'],
  'lib/resume': FOUNDATION_AND_REPLIES,
  'lib/webhook': [...FOUNDATION, 'lib/public-address.ts'],
  'lib/tools': [
    ...FOUNDATION_AND_REPLIES,
    'lib/llm/usage-sum.ts',
    'lib/public-address.ts',
    'lib/resilience/breaker/circuit.ts',
    'lib/storage/types.ts',
    'lib/validation/zod.ts',
  ],
  'lib/batch': [...FOUNDATION_AND_REPLIES, 'lib/validation', 'lib/storage/records', 'lib/webhook'],
  'lib/evaluation': [
    ...FOUNDATION_AND_REPLIES,
    'lib/batch/types.ts',
    'lib/batch/run.ts',
    'lib/storage/records',
    'lib/validation/zod.ts',
  ],
  'lib/budgets': [
    ...FOUNDATION_AND_REPLIES,
    'lib/llm/hold-end.ts',
    'lib/llm/providers/definition.ts',
    'lib/storage/records',
    'lib/webhook',
  ],
  'lib/guardrails': [
    ...FOUNDATION_AND_REPLIES,
    'lib/llm/usage-sum.ts',
    'lib/auth/keys/format.ts',
    'lib/auth/keys/scopes.ts',
  ],
  // External services are reached as those of tools are, each with a circuit, and a webhook with a signature.
  'lib/guardrails/judges': [
    ...FOUNDATION,
    'lib/guardrails/types.ts',
    'lib/resilience/breaker/circuit.ts',
    'lib/resilience/breaker/trip-condition.ts',
    'lib/tools/service-answer.ts',
    'lib/tools/service-fetch.ts',
    'lib/tools/shared-runs.ts',
    'lib/tools/types.ts',
    'lib/webhook/send.ts',
  ],
  'lib/tokenizer': ['lib/clock.ts', 'lib/loop-turns.ts', 'lib/thread-program.ts'],
  'lib/vendor-objects': [...FOUNDATION, 'lib/batch/v1/types.ts'],
  'lib/responses': [...FOUNDATION_AND_REPLIES, 'lib/storage/records', 'lib/vendor-objects'],
  'lib/kv': [...FOUNDATION_AND_REPLIES, 'lib/storage/records'],
  'lib/idempotency': [...FOUNDATION_AND_REPLIES, 'lib/storage/records'],
  'lib/audit': [...FOUNDATION_AND_REPLIES, 'lib/storage/records'],
  'lib/ledger': [...FOUNDATION_AND_REPLIES, 'lib/llm/providers/definition.ts', 'lib/storage/records'],
  'lib/auth': [...FOUNDATION_AND_REPLIES, 'lib/storage/directory.ts', 'lib/storage/records'],
  'lib/observability': [...FOUNDATION_AND_REPLIES, 'lib/llm/ask.ts'],
  'lib/multipart': [...FOUNDATION, 'lib/batch/intake/part-headers.ts', 'lib/batch/intake/upload-dir.ts'],
  'lib/validation': [
    ...FOUNDATION_AND_REPLIES,
    'lib/batch/types.ts',
    'lib/batch/v1/types.ts',
    'lib/ledger/types.ts',
    'lib/evaluation/types.ts',
    'lib/evaluation/datasets/types.ts',
    'lib/evaluation/runs/types.ts',
  ],
  'lib/http': [
    ...FOUNDATION_AND_REPLIES,
    'lib/validation',
    'lib/multipart',
    'lib/batch/types.ts',
    'lib/batch/v1/types.ts',
    'lib/batch/results.ts',
    'lib/responses/types.ts',
    'lib/vendor-objects',
    'lib/idempotency/types.ts',
    'lib/audit/types.ts',
    'lib/idempotency/fingerprint.ts',
    'lib/auth/keys/types.ts',
    'lib/ledger/types.ts',
    'lib/ledger/requests.ts',
    'lib/ledger/recommendations',
    'lib/tools/types.ts',
    'lib/tools/registry.ts',
    'lib/evaluation/types.ts',
    'lib/evaluation/with-model.ts',
    'lib/evaluation/datasets/types.ts',
    'lib/evaluation/runs/types.ts',
    'lib/evaluation/report/types.ts',
    'lib/evaluation/report/statistics.ts',
  ],
  'lib/config': [
    'lib/cache-kinds.ts',
    'lib/rate-limit/policy.ts',
    'lib/routing/route.ts',
    'lib/routing/image-chain.ts',
    'lib/validation/tags.ts',
    'lib/validation/host-name.ts',
    'lib/validation/zod.ts',
    // Check the names in the file, and follow its changes.
    'lib/tools',
    'lib/guardrails',
    'lib/clock.ts',
    'lib/errors.ts',
    'lib/llm/catalog.ts',
    'lib/validation/chat.ts',
  ],
  'lib/gateway': ['lib', 'package.json'],
  'lib/process': ['lib'],
  'lib/native': ['lib/http', 'lib/config', 'lib/llm/catalog.ts', 'lib/errors.ts'],
  'app/metrics': ['lib/gateway', 'lib/auth'],
  'app/openapi.json': ['lib/gateway', 'lib/http'],
  'app/api': ['lib/gateway', 'lib/http', 'lib/validation', 'lib/auth', 'lib/errors.ts', 'lib/audit'],
  'app/v1': ['lib/gateway', 'lib/http', 'lib/validation', 'lib/auth', 'lib/errors.ts'],
  'app/(console)': ['app', 'lib/sse-parser.ts'],
  'app/(console)/docs': ['app', 'lib/gateway', 'lib/http/openapi'],
  'app/(console)/batch/intake': ['app', 'lib/batch/intake/json-elements.ts', 'lib/batch/intake/rows.ts'],
  app: ['app', 'lib/http', 'lib/observability/sentry-privacy.ts'],
  bench: [],
  'bench/guardrails': ['lib/guardrails', 'lib/loop-turns.ts'],
}

const within = (file: string, place: string): boolean => file === place || file.startsWith(`${place}/`)

const ruleOf = (file: string): string | undefined =>
  Object.keys(RULES)
    .filter(place => within(file, place))
    .toSorted((a, b) => b.length - a.length)[0]

describe('imports', () => {
  const ruled = sources.filter(file => ruleOf(file) !== undefined)

  it('are looked at in every source file', () => {
    const roots = [
      'server.ts',
      'worker.ts',
      'middleware.ts',
      'instrumentation.ts',
      'instrumentation-client.ts',
    ]
    const unruled = sources.filter(file => ruleOf(file) === undefined && !roots.includes(file))
    expect(unruled.filter(file => !file.endsWith('.config.ts') && file !== 'next-env.d.ts')).toEqual([])
  })

  it.each(ruled)('go downwards only: %s', file => {
    const rule = ruleOf(file) ?? ''
    const allowed = [...(RULES[rule] ?? []), ...(rule.endsWith('.ts') ? [] : [rule])]
    expect(importsOf(file).filter(path => !allowed.some(place => within(path, place)))).toEqual([])
  })

  it('keep the areas of the web UI apart', () => {
    const others = sources.filter(
      file =>
        within(file, 'app/(console)') && !/^app\/\(console\)\/(([\w-]+\/)?page|layout)\.tsx$/.test(file),
    )
    for (const area of ['admin', 'batch', 'chat', 'docs', 'evaluations'].map(name => `app/(console)/${name}`))
      expect(
        others.filter(file => !within(file, area) && importsOf(file).some(path => within(path, area))),
      ).toEqual([])
  })

  it('make no circle, inside folders too', () => {
    const done = new Set<string>()
    const circles: string[] = []
    const visit = (file: string, path: readonly string[]): void => {
      if (path.includes(file)) return void circles.push([...path.slice(path.indexOf(file)), file].join(' → '))
      if (done.has(file)) return
      for (const imported of importsOf(file)) visit(imported, [...path, file])
      done.add(file)
    }
    for (const file of sources) visit(file, [])
    expect(circles).toEqual([])
  })

  it('leave lib/gateway to wiring: no feature has a file there', () => {
    const files = sources.filter(file => within(file, 'lib/gateway')).map(file => basename(file, '.ts'))
    expect(files.toSorted()).toEqual([
      'audit',
      'batch',
      'budgets',
      'cache',
      'database',
      'evaluation',
      'gateway',
      'guardrails',
      'idempotency',
      'index',
      'keys',
      'kv',
      'ledger',
      'live-config',
      'pipelines',
      'providers',
      'recommendations',
      'redis',
      'resilience',
      'responses',
      'runtime',
      'serving',
      'tools',
    ])
  })

  it('find a file where they point', () => {
    const missing = sources.flatMap(file =>
      importsOf(file).filter(path => globSync(path.replace(/[[\]()]/g, '?'), { cwd: ROOT }).length === 0),
    )
    expect(missing).toEqual([])
  })
})

/** Queries are text: nothing in them is null. */
const QUERY_FIELDS = [
  'state: z.enum(ITEM_STATES)',
  "z.enum(['jsonl', 'csv'])",
  "z.enum(['json', 'csv'])",
  "z.enum(['json', 'csv', 'html'])",
  "z.enum(['variant', 'row'])",
  'schema.optional().meta({ description })',
]

describe('features', () => {
  const features = sources.filter(
    file => within(file, 'lib') && !/^lib\/(config|gateway|native|process|clock)/.test(file),
  )

  it.each([
    ['read no environment', /process\.env/],
    ['look at no clock', /Date\.now\(|new Date\(\)|performance\.now\(/],
    ['write to no console', /\bconsole\.\w+\(/],
    ['set no timers of their own', /(?<!(?:response|socket)\.)\bsetTimeout\(|\bsetInterval\(/],
  ])('%s', (_, forbidden) => {
    const known = ['lib/observability/logger.ts']
    expect(features.filter(file => forbidden.test(read(file)) && !known.includes(file))).toEqual([])
  })

  it('let every optional field of a body be null, by optional and withDefault', () => {
    const bodies = globSync('lib/validation/*.ts', { cwd: ROOT }).filter(
      file => !/\/(zod|page)\.ts$/.test(file),
    )
    const bare = bodies.flatMap(file =>
      read(file)
        .split('\n')
        .filter(line => /\.(optional|default)\(/.test(line))
        .filter(line => !QUERY_FIELDS.some(name => line.includes(name)))
        .map(line => `${file}: ${line.trim()}`),
    )
    expect(bare).toEqual([])
  })

  it('decide nothing by the journal, which only headers, log, metrics and ledger read', () => {
    const readers =
      /^lib\/(request-context|http\/route-response|observability\/(request-record|metrics)|ledger\/ledger)\.ts$/
    const written = /^\s*(=(?!=)|\?\?=|\.push\()/
    const readings = sources.flatMap(file => {
      if (readers.test(file)) return []
      const text = read(file)
      const used = [...text.matchAll(/\bjournal\??\.(\w+)/g)].filter(
        ({ 0: use, index }) => !written.test(text.slice(index + use.length)),
      )
      const unpacked = [...text.matchAll(/\}\s*=\s*[\w.]*\bjournal\b|\bjournal:\s*\{\s*\w/g)]
      return [...used, ...unpacked].map(({ 0: use }) => `${file}: ${use}`)
    })
    expect(readings).toEqual([])
  })

  it('take every dependency by a required name, so that a wrong one does not compile', () => {
    const types =
      /type (\w*Deps|Prices|Routes|Fallbacks|Hedges|Retries|Slots|Timeouts) =[^;]*?Readonly<\{([\s\S]*?)\n\}>/g
    const found = sources.flatMap(file =>
      [...read(file).matchAll(types)].map(([, name, fields = '']) => ({ file, name, fields })),
    )
    expect(found.length).toBeGreaterThan(35)
    expect(
      found
        .filter(({ fields }) => /^ {2}(?:readonly )?\w+\?:/m.test(fields))
        .map(({ file, name }) => `${file}: ${name}`),
    ).toEqual([])
  })

  it('leave SQLite, which blocks its caller, to its thread', () => {
    const thread = ['lib/storage/records/sqlite/file.ts', 'lib/storage/records/sqlite/thread.ts']
    expect(sources.filter(file => read(file).includes("'node:sqlite'")).toSorted()).toEqual(thread)
    const users = sources.filter(file => importsOf(file).some(path => thread.includes(path)))
    expect(users).toEqual(['lib/storage/records/sqlite/thread.ts'])
  })

  it('name no vendor outside its own file', () => {
    const vendors = new RegExp(
      `['"\`](${[...PROVIDERS, ...MEDIA_PROVIDERS].map(({ id }) => id).join('|')})['"\`]`,
    )
    const elsewhere = features.filter(
      file => !within(file, 'lib/llm/providers') && vendors.test(read(file).replaceAll(/from '[^']+'/g, '')),
    )
    expect(elsewhere).toEqual([])
  })
})

describe('every route', () => {
  const routes = sources.filter(file => within(file, 'app') && file.endsWith('/route.ts'))
  const optionsOf = (file: string): string => /serve\(\s*\{(.*?)\},\s*\{/s.exec(read(file))?.[1] ?? ''

  /** The pattern of the path under which a file is served, as the log and the metrics name it. */
  const patternOf = (file: string): string =>
    `/${dirname(file).slice('app/'.length)}`
      .replaceAll(/\/\(\w+\)/g, '')
      .replaceAll(/\[\[?\.\.\.\w+\]\]?/g, '*')
      .replaceAll(/\[(\w+)\]/g, '{$1}')

  it.each(routes)('is named as its path: %s', file => {
    expect(optionsOf(file)).toContain(`route: '${patternOf(file)}'`)
  })

  it.each(routes)('declares who may use it: %s', file => {
    expect(optionsOf(file)).toMatch(/\baccess: '(public|caller|member|admin|metrics)'/)
  })

  it('leaves it to `serve` to let requests in', () => {
    const byHand = /\b(admission|admit|admitMember|admitAdmin|assertToken|authenticate)\b/
    expect(routes.filter(file => byHand.test(read(file)))).toEqual([])
  })

  it('that refuses for free answers through the pipeline, which makes an answer count, or accepts a whole', () => {
    const left = routes.filter(file => /\brefusedIsFree\b/.test(optionsOf(file)))
    expect(left.toSorted()).toEqual([
      'app/api/batch/jobs/route.ts',
      'app/api/batch/upload/route.ts',
      'app/api/chat/route.ts',
      'app/api/evaluate/route.ts',
      'app/api/evaluations/datasets/route.ts',
      'app/api/evaluations/route.ts',
      'app/v1/audio/speech/route.ts',
      'app/v1/audio/transcriptions/route.ts',
      'app/v1/audio/translations/route.ts',
      'app/v1/batches/route.ts',
      'app/v1/chat/completions/route.ts',
      'app/v1/completions/route.ts',
      'app/v1/embeddings/route.ts',
      'app/v1/files/route.ts',
      'app/v1/images/edits/route.ts',
      'app/v1/images/generations/route.ts',
      'app/v1/messages/batches/route.ts',
      'app/v1/messages/route.ts',
      'app/v1/moderations/route.ts',
      'app/v1/rerank/route.ts',
      'app/v1/responses/route.ts',
    ])
    const answers = /\bgateway\.(answer\(|answerUpload\b|evaluate\()/
    const accepts =
      /\b(batch|uploads|v1Batches)\.(create|submit)\(|\b(files\.add|datasets\.create|runs\.start)\(/
    expect(left.filter(file => !answers.test(read(file)) && !accepts.test(read(file)))).toEqual([])
  })

  it('that is public serves nothing of a caller: health, a greeting, the API’s description, and addresses that do not exist', () => {
    const open = routes.filter(file => /\baccess: 'public'/.test(optionsOf(file)))
    expect(open.toSorted()).toEqual([
      'app/api/[[...path]]/route.ts',
      'app/api/health/live/route.ts',
      'app/api/health/ready/route.ts',
      'app/api/health/route.ts',
      'app/api/hello/route.ts',
      'app/openapi.json/route.ts',
      'app/v1/[[...path]]/route.ts',
      'app/v1/messages/[...path]/route.ts',
    ])
  })

  it.each(routes)('says whether it changes anything: %s', file => {
    expect(optionsOf(file)).toMatch(/\bchanges: (true|false)\b/)
  })

  it('that takes more than GET says that it does, but for those that answer 404', () => {
    const changing = routes.filter(file => /^\s+(POST|PUT|PATCH|DELETE): async/m.test(read(file)))
    expect(changing.length).toBeGreaterThan(5)
    expect(changing.filter(file => !/\bchanges: true\b/.test(read(file)))).toEqual([])
    const named = routes.filter(
      file => /\b(POST|PUT|PATCH|DELETE): /.test(read(file)) && !changing.includes(file),
    )
    expect(named.toSorted()).toEqual([
      'app/api/[[...path]]/route.ts',
      'app/v1/[[...path]]/route.ts',
      'app/v1/messages/[...path]/route.ts',
    ])
  })

  it('of an admin that changes something writes to the audit log', () => {
    const changing = routes.filter(
      file =>
        /\baccess: '(?:admin|member)'/.test(optionsOf(file)) && /\bchanges: true\b/.test(optionsOf(file)),
    )
    expect(changing.length).toBeGreaterThan(0)
    expect(changing.filter(file => !/\baudit(?:ed)?/.test(read(file)))).toEqual([])
  })

  it('that answers or creates something, or changes a batch, heeds an Idempotency-Key, and no other', () => {
    const heeding = routes.filter(file => /\bidempotent: (?:true\b|'without-body')/.test(optionsOf(file)))
    const reading = routes.filter(
      file =>
        /^app\/(v1\/.+|api\/chat|api\/batch\/(jobs(\/\[id\]\/(cancel|retry))?|upload)|api\/evaluate|api\/evaluations(\/datasets)?)\/route\.ts$/.test(
          file,
        ) && /\bPOST: async/.test(read(file)),
    )
    expect(heeding.length).toBe(27)
    expect(heeding.toSorted()).toEqual(reading.toSorted())
  })

  it('but those of health minds the Host header', () => {
    const exempt = routes.filter(file => /\banyHost\b/.test(read(file)))
    expect(exempt.toSorted()).toEqual([
      'app/api/health/live/route.ts',
      'app/api/health/ready/route.ts',
      'app/api/health/route.ts',
    ])
  })
})

describe('tests', () => {
  const tests = globSync('__tests__/**/*.ts', { cwd: ROOT })

  it('are never run again when they fail', () => {
    // Not that of an event stream, of the gateway's own settings, or of a request's waits.
    const retries = /(?<!waits: )(?:\{|,)\s*retr(?:y|ies): (?!\{)/
    const configs = ['vitest.config.ts', 'playwright.config.ts']
    expect(configs.filter(file => /\bretr(?:y|ies)\b/.test(read(file)))).toEqual([])
    expect(tests.filter(file => retries.test(read(file)))).toEqual([])
  })
})

describe('what is promised is written down', () => {
  it('every error code in README', () => {
    const readme = read('README.md')
    expect(Object.keys(ERRORS).filter(code => !readme.includes(`\`${code}\``))).toEqual([])
  })

  it('every environment variable in .env.example', () => {
    const example = read('.env.example')
    expect(
      Object.keys(environment.shape).filter(name => !new RegExp(`^# ?${name}=|^${name}=`, 'm').test(example)),
    ).toEqual([])
  })

  it('every section of the configuration file in README’s table of them', () => {
    const chapter = /^### Configure it by file\n.*?^###? /ms.exec(read('README.md'))?.[0] ?? ''
    const rowsOf = (section: string): string =>
      chapter
        .split('\n')
        .filter(line => line.startsWith(`| \`${section}`))
        .join('\n')
    const { $schema: _, ...sections } = configFile.shape
    expect(Object.keys(sections).filter(name => rowsOf(name) === '')).toEqual([])
    for (const section of ['fallbackOn', 'resilience'] as const) {
      const members = Object.keys(sections[section].unwrap().shape)
      expect(members.filter(name => !rowsOf(section).includes(name))).toEqual([])
    }
  })

  it('every key of a provider is a secret, and both its variables are read', () => {
    for (const { env } of [...PROVIDERS, ...MEDIA_PROVIDERS]) {
      expect(SECRETS).toContain(env.apiKey)
      expect(Object.keys(environment.shape)).toEqual(expect.arrayContaining([env.apiKey, env.baseUrl]))
    }
  })

  it('what every provider answers, as fixtures', () => {
    for (const { id } of PROVIDERS) {
      const files = globSync('*', { cwd: join(ROOT, '__tests__/fixtures', id) })
      expect(files, id).toEqual(expect.arrayContaining(['answer.json', 'stream.sse', 'expected.json']))
      expect(
        files.some(file => file.startsWith('refusal-')),
        id,
      ).toBe(true)
    }
  })

  it('every dependency with its reason in README', () => {
    const readme = read('README.md')
    const { dependencies, devDependencies } = JSON.parse(read('package.json'))
    const names = Object.keys({ ...dependencies, ...devDependencies })
    expect(names.filter(name => !readme.includes(`\`${name}\``))).toEqual([])
  })

  it('every version of a dependency is exact', () => {
    const { dependencies, devDependencies } = JSON.parse(read('package.json'))
    const versions = Object.entries<string>({ ...dependencies, ...devDependencies })
    expect(versions.filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([])
  })
})
