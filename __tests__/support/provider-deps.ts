import { systemClock } from '#lib/clock.ts'
import type { ProviderDeps } from '#lib/llm/providers/definition.ts'

/** What a provider is made with in a test: its `post` decides who answers. */
export const providerDeps = (changes: Pick<ProviderDeps, 'post'> & Partial<ProviderDeps>): ProviderDeps => ({
  apiKey: 'sk-test',
  baseUrl: 'http://upstream',
  clock: systemClock,
  newId: () => 'chat_1',
  onRateHeadroom: () => {},
  redact: text => text,
  ...changes,
})
