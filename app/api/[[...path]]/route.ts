import { GatewayError } from '#lib/errors.ts'
import { serve } from '#lib/gateway/index.ts'

const nothingHere = async (): Promise<never> => {
  throw new GatewayError('NOT_FOUND', 'There is no such path in this API.')
}

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  { route: '/api/*', surface: 'api', access: 'public', changes: false },
  { GET: nothingHere, POST: nothingHere, PUT: nothingHere, PATCH: nothingHere, DELETE: nothingHere },
)
