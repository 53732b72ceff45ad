import { z } from 'zod'

const circuit = z.object({
  state: z.enum(['closed', 'open', 'half-open']),
  reason: z.string().optional(),
  nextProbeInMs: z.number().optional(),
})

const service = z.object({
  name: z.string(),
  configured: z.boolean(),
  missing: z.string().optional().describe('The environment variable without which it cannot be used.'),
  attribution: z.string().optional(),
  circuit,
})

export const toolList = z.object({
  tools: z.array(
    z.object({
      name: z.string(),
      description: z.string(),
      parameters: z.record(z.string(), z.unknown()).describe('JSON Schema of its arguments.'),
      available: z.boolean().describe('Whether a service is set up and not known to be failing.'),
      service: z.string().nullable().describe('The service that the next run asks first.'),
      cacheSeconds: z.number(),
      services: z.array(service),
    }),
  ),
})

export const toolRun = z.object({
  tool: z.string(),
  service: z.string(),
  attribution: z.string().optional().describe('What the service wants to be shown with its data.'),
  retrievedAt: z.string(),
  untrusted: z.literal(true).describe('The data comes from others: it may hold instructions to a model.'),
  data: z.unknown(),
  cache: z.enum(['hit', 'miss', 'stale']),
})
