import fc from 'fast-check'

/** What becomes of one attempt at a provider. Times in virtual milliseconds. */
export type Fate =
  | Readonly<{ kind: 'answers'; afterMs: number; pieces: number; paceMs: number }>
  | Readonly<{ kind: 'cuts'; afterMs: number; pieces: number; paceMs: number }>
  | Readonly<{ kind: 'stalls'; afterMs: number; pieces: number; paceMs: number }>
  | Readonly<{ kind: 'fails'; afterMs: number }>
  | Readonly<{ kind: 'refuses-key'; afterMs: number }>
  | Readonly<{ kind: 'limits'; afterMs: number; retryAfterSeconds: number }>
  | Readonly<{ kind: 'silent' }>

export type Asker = Readonly<{
  at: number
  caller: number
  question: number
  /** How many targets may answer. */
  targets: number
  stream: boolean
  cache: 'default' | 'refresh' | 'no-store'
  fallback: boolean
  /** After how long the client goes, if it does. */
  leavesAfterMs: number | undefined
  /** How long the client takes over each batch. */
  readsForMs: number
}>

export type Scenario = Readonly<{
  /** The seed of every jitter. */
  seed: number
  /** Fates by target; each attempt takes the next, and after the last comes the first again. */
  fates: readonly (readonly Fate[])[]
  askers: readonly Asker[]
}>

export const TARGETS = 3
const LONG_MS = 12_000

const ms = (most: number) => fc.integer({ min: 0, max: most })
const streamed = { afterMs: ms(4_000), pieces: fc.integer({ min: 1, max: 5 }), paceMs: ms(1_500) }

const fate: fc.Arbitrary<Fate> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('answers' as const), ...streamed }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('cuts' as const), ...streamed }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('stalls' as const), ...streamed }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('fails' as const), afterMs: ms(2_000) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('refuses-key' as const), afterMs: ms(500) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('limits' as const),
      afterMs: ms(500),
      retryAfterSeconds: fc.integer({ min: 1, max: 12 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('silent' as const) }) },
)

const asker: fc.Arbitrary<Asker> = fc.record({
  // Crowds at once, and single ones between them.
  at: fc.oneof(fc.constantFrom(0, 9_999, 10_000), ms(1_000), { weight: 2, arbitrary: ms(20_000) }),
  caller: fc.integer({ min: 0, max: 3 }),
  question: fc.integer({ min: 0, max: 1 }),
  targets: fc.integer({ min: 1, max: TARGETS }),
  stream: fc.boolean(),
  cache: fc.constantFrom('default', 'default', 'refresh', 'no-store'),
  fallback: fc.boolean(),
  leavesAfterMs: fc.option(ms(LONG_MS), { nil: undefined, freq: 3 }),
  readsForMs: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: ms(3_000) }),
})

/** Providers that fail in every way, and callers who come in crowds and leave when they like. */
export const scenarios: fc.Arbitrary<Scenario> = fc.record({
  seed: fc.integer({ min: 1, max: 2 ** 31 - 2 }),
  fates: fc.array(fc.array(fate, { minLength: 1, maxLength: 6 }), { minLength: TARGETS, maxLength: TARGETS }),
  askers: fc.array(asker, { minLength: 1, maxLength: 16 }),
})
