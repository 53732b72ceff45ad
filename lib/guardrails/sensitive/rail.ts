import { phraseDetector } from '../lists/phrase-detector.ts'
import { type Detector, PLACES, type SpanRail } from '../types.ts'
import { card } from './cards.ts'
import { email } from './email.ts'
import { iban } from './iban.ts'
import { ipv4, ipv6 } from './ip.ts'
import { jwt } from './jwt.ts'
import { letteredNumber } from './lettered-numbers.ts'
import { nationalNumber } from './national-numbers.ts'
import { numberDetector } from './numbers.ts'
import { ownKey } from './own-key.ts'
import { phone } from './phone.ts'
import { privateKey } from './private-key.ts'
import { promptLeak } from './prompt-leak.ts'
import { vendorSecret } from './secrets.ts'
import { urlCredentials } from './url-credentials.ts'

/** In the order in which they win where two matches are equally long. */
const DETECTORS: readonly Detector[] = [
  privateKey,
  ownKey,
  vendorSecret,
  jwt,
  urlCredentials,
  iban,
  numberDetector([card, nationalNumber]),
  letteredNumber,
  email,
  ipv4,
  ipv6,
  phone,
]

/** Identifiers of persons and secrets: all that formats and check digits can recognise. Names and addresses have none. */
export const sensitiveData: SpanRail = {
  type: 'span',
  name: 'sensitive-data',
  places: PLACES,
  detectors: DETECTORS,
}

/** Canaries: texts that the operator put where no caller should get at. Found in any case, within words too. */
export const canaries = (texts: readonly string[]): SpanRail => ({
  type: 'span',
  name: 'canary',
  places: PLACES,
  detectors: [
    phraseDetector(
      'canary',
      texts.map(text => ({ text, kind: 'canary', rule: 'canary', score: 1 })),
      true,
    ),
  ],
})

/** The system prompts of a call, where a model repeats them. Made for each call. */
export const systemPromptLeak = (prompts: readonly string[]): SpanRail => ({
  type: 'span',
  name: 'system-prompt',
  places: ['tool-arguments', 'reasoning', 'refusal', 'answer'],
  detectors: [promptLeak(prompts)],
})
