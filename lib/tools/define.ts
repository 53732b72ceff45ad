import { z } from 'zod'
import type { ServiceSettings, Tool, ToolService } from './types.ts'

const MINUTE_MS = 60_000
/** How many lifetimes an old result may replace a failure. */
const STALE_LIVES = 12

type Definition<S extends z.ZodType> = Readonly<{
  name: string
  description: string
  schema: S
  lifeMinutes: number
  services: readonly ToolService<z.output<S>>[]
  /** Changes with the services' addresses. */
  version: string
}>

const parametersOf = (schema: z.ZodType): Tool['parameters'] => {
  const { $schema: _version, ...parameters } = z.toJSONSchema(schema, { io: 'input' })
  return parameters
}

/** The arguments of a service have passed the schema of its tool. */
const asArguments = <A>(input: unknown): A => input as A

/** A tool whose arguments are typed by its schema. */
export const defineTool = <S extends z.ZodType>({
  schema,
  services,
  lifeMinutes,
  ...tool
}: Definition<S>): Tool => ({
  ...tool,
  schema,
  parameters: parametersOf(schema),
  lifeMs: lifeMinutes * MINUTE_MS,
  staleMs: lifeMinutes * MINUTE_MS * STALE_LIVES,
  services: services.map(service => ({
    ...service,
    ask: (input, fetch) => service.ask(asArguments<z.output<S>>(input), fetch),
  })),
})

/** Services that need a key are tried first where it is set, and are listed as missing it where it is not. */
export const keyed = ({ key }: ServiceSettings, variable: string): Pick<ToolService<never>, 'missing'> =>
  key === undefined ? { missing: variable } : {}

/** A text of a caller or a model, in one line. */
export const line = (most: number) =>
  z
    .string()
    .transform(text => text.replaceAll(/\p{Cc}+/gu, ' ').trim())
    .pipe(z.string().min(1, 'must not be empty').max(most, `must have at most ${most} characters`))
