import { isKeyShaped } from '../../auth/keys/format.ts'
import { codeAt, isAlphanumeric, runEnd } from '../scan/characters.ts'
import { type Detector, OPEN, type Outcome } from '../types.ts'

const PREFIX = 'pk_live_'
const LENGTH = PREFIX.length + 40

const at = (text: string, start: number, isLast: boolean): Outcome => {
  const head = text.slice(start, start + PREFIX.length)
  if (head !== PREFIX)
    return !isLast && start + PREFIX.length > text.length && PREFIX.startsWith(head) ? OPEN : undefined
  const end = runEnd(text, start + PREFIX.length, LENGTH - PREFIX.length + 1, isAlphanumeric)
  if (end >= text.length && end - start <= LENGTH && !isLast) return OPEN
  const isKey = !isAlphanumeric(codeAt(text, end)) && isKeyShaped(text.slice(start, end))
  return isKey ? { end, kind: 'secret', rule: 'parley-key', score: 1 } : undefined
}

/** Keys of this gateway, by their checksum. */
export const ownKey: Detector = {
  name: 'own-key',
  longest: LENGTH + 1,
  starts: code => code === PREFIX.charCodeAt(0),
  atWordStart: true,
  signs: [PREFIX],
  at,
}
