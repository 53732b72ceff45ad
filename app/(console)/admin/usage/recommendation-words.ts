import { plural } from '../../format.ts'
import type { Recommendation } from '../wire.ts'

export const KINDS: Record<Recommendation['kind'], string> = {
  'cheaper-model': 'A cheaper model',
  'cache-rule': 'A cache rule',
  'prompt-cache': 'A cacheable prompt',
  'idle-key': 'An unused key',
}

const count = (amount: number): string => amount.toLocaleString('en')
const ownerOf = (owner: string | null): string[] => (owner === null ? [] : [`owner ${owner}`])

/** The figures that a recommendation is based on. */
export function figuresOf(found: Recommendation): string[] {
  switch (found.kind) {
    case 'cheaper-model': {
      const { owner, route, inputTokens, model, requests, errors, alternative } = found
      return [
        ...ownerOf(owner),
        route,
        `${count(inputTokens.from)} to ${count(inputTokens.to)} tokens in`,
        `${model}: ${plural(requests, 'request')}, ${plural(errors, 'error')}`,
        `${alternative.model}: ${plural(alternative.requests, 'request')}, ${plural(alternative.errors, 'error')}`,
      ]
    }
    case 'cache-rule':
      return [found.model, plural(found.requests, 'request'), `${count(found.hits)} repeated`]
    case 'prompt-cache': {
      const { owner, provider, model, requests, readTokens, writtenTokens } = found
      return [
        ...ownerOf(owner),
        `${model} at ${provider}`,
        plural(requests, 'request'),
        `about ${count(readTokens)} tokens read, ${count(writtenTokens)} written`,
      ]
    }
    case 'idle-key':
      return [...ownerOf(found.owner), found.keyId]
  }
}
