import type { z } from 'zod'

/** The type of a tool that the gateway runs itself, in the formats of vendors. */
export const GATEWAY_TOOL = 'gateway'

type SentTool = Readonly<{ type?: string | undefined; name?: string | undefined }>

/** Requires the name of a tool of the gateway's own. */
export const gatewayToolIsNamed = ({ value, issues }: z.core.ParsePayload<SentTool>): void => {
  if (value.type === GATEWAY_TOOL && value.name === undefined)
    issues.push({ code: 'custom', path: ['name'], message: 'is required', input: value })
}

/** The names of the gateway's own tools among those of a request; empty where it asks for none. */
export const gatewayToolsIn = (
  tools: readonly SentTool[] | undefined,
): Readonly<{ gatewayTools?: readonly string[] }> => {
  const names = (tools ?? []).flatMap(({ type, name }) => (type === GATEWAY_TOOL && name ? [name] : []))
  return names.length > 0 ? { gatewayTools: names } : {}
}
