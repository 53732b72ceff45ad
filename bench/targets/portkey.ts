import { openaiRequest } from './openai-request.ts'
import { fetchPortkey, portkeyVersion } from './portkey-package.ts'
import type { Candidate, Target } from './target.ts'

const title = `Portkey gateway ${portkeyVersion}`

const targetAt = (script: string): Target => ({
  name: 'portkey',
  title,
  command: port => [script, `--port=${port}`, '--headless'],
  env: {},
  request: (workload, upstreamUrl) =>
    openaiRequest(workload, { 'x-portkey-provider': 'openai', 'x-portkey-custom-host': upstreamUrl }),
})

export const portkey: Candidate = {
  name: 'portkey',
  title,
  find: async () => {
    try {
      return targetAt(await fetchPortkey())
    } catch (error) {
      return { unavailable: `npm could not fetch it (${String(error).split('\n')[0]})` }
    }
  },
}
