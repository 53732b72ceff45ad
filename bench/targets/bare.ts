import { openaiRequest } from './openai-request.ts'
import type { Candidate, Target } from './target.ts'

const target: Target = {
  name: 'bare',
  title: 'bare node:http + undici proxy',
  command: () => ['bench/bare-proxy.ts'],
  env: {},
  request: workload => openaiRequest(workload),
}

export const bare: Candidate = { name: target.name, title: target.title, find: async () => target }
