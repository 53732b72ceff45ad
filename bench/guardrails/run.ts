/** `npm run bench:guardrails`: what each rail finds in each corpus, and its false alarms. */
import { INJECTION_PRESETS } from '../../lib/guardrails/injection/rail.ts'
import { readCorpora } from './corpora.ts'
import { DISGUISES } from './disguises.ts'
import { IDENTIFIERS, identifierTexts } from './identifiers.ts'
import { KNOWN_ATTACKS } from './known-attacks.ts'
import { identifierRows, injectionRows, injectionScore } from './measure.ts'

const SEED = 20_261_128
const PER_KIND = 1000

const say = (line: string): void => void process.stdout.write(`${line}\n`)
const percent = (value: number): string => `${(value * 100).toFixed(1)} %`

const table = (head: readonly string[], rows: readonly (readonly string[])[]): void => {
  say(`| ${head.join(' | ')} |`)
  say(`|${head.map(() => '---').join('|')}|`)
  for (const row of rows) say(`| ${row.join(' | ')} |`)
}

say('Injection: share of texts, by corpus and half\n')
table(
  [
    'corpus',
    'texts are',
    'half',
    'texts',
    'flagged (default)',
    'blocked (default)',
    'flagged (strict)',
    'blocked (strict)',
  ],
  readCorpora()
    .flatMap(injectionRows)
    .map(row => [
      row.corpus,
      row.label,
      row.half,
      String(row.texts),
      percent(row.flagged),
      percent(row.blocked),
      percent(row.flaggedStrictly),
      percent(row.blockedStrictly),
    ]),
)

const { strict } = INJECTION_PRESETS
const blocked = KNOWN_ATTACKS.filter(text => injectionScore(text, 'user') >= strict.block)
const latin = KNOWN_ATTACKS.filter(text => /^[ -~]+$/.test(text))
const disguised = Object.entries(DISGUISES).map(([name, disguise]) => {
  const flagged = latin.filter(text => injectionScore(disguise(text), 'user') >= strict.flag)
  return { name, share: flagged.length / latin.length }
})
say(`\nKnown attacks in plain words, blocked by strict: ${blocked.length} of ${KNOWN_ATTACKS.length}`)
say(
  `In ${disguised.length} disguises, flagged by strict: ${disguised.map(({ name, share }) => `${name} ${percent(share)}`).join(', ')}`,
)

say(`\nSensitive data: generated texts of seed ${SEED}, found to the character\n`)
const kinds = Object.keys(IDENTIFIERS)
const texts = identifierTexts(SEED, PER_KIND)
table(
  ['kind', 'half', 'present', 'recall', 'precision'],
  [...identifierRows(texts, kinds, 'tuned'), ...identifierRows(texts, kinds, 'held-out')].map(row => [
    row.kind,
    row.half,
    String(row.present),
    percent(row.recall),
    percent(row.precision),
  ]),
)
