import type { Server } from 'node:http'
import { type AddressInfo, isIPv6 } from 'node:net'
import type { Environment } from '../config/schema.ts'
import type { Catalog } from '../llm/catalog.ts'

/** Prints to standard error for the operator. Standard output is for the log. */
export const say = (text: string): void => void process.stderr.write(`${text}\n`)

const providersOf = (catalog: Catalog): string => {
  const names = catalog.list().map(({ target, available }) => ({ name: target.provider, available }))
  const on = new Set(names.filter(({ available }) => available).map(({ name }) => name))
  const off = new Set(names.filter(({ name }) => !on.has(name)).map(({ name }) => name))
  return `${[...on].join(', ')}${off.size > 0 ? ` (not set up: ${[...off].join(', ')}; see .env.example)` : ''}`
}

/** A host as written in a URL: an IPv6 address in brackets. Source: RFC 3986, 3.2.2. */
const hostInUrl = (host: string | undefined): string => {
  if (host === undefined || host === '0.0.0.0' || host === '::') return 'localhost'
  return isIPv6(host) ? `[${host.replace('%', '%25')}]` : host
}

/** Prints the gateway's URL, its providers, and a first command to try. */
export const welcome = (server: Server, catalog: Catalog, env: Environment): void => {
  const { port } = server.address() as AddressInfo
  const address = `http://${hostInUrl(env.HOST)}:${port}`
  say(`
Parley is ready.

  chat      ${env.ENABLE_CONSOLE ? address : 'switched off (ENABLE_CONSOLE)'}
  API       ${address}/api/chat
  health    ${address}/api/health
  providers ${providersOf(catalog)}; default model: ${catalog.defaultModel}

Try it:

  curl --no-buffer ${address}/api/chat \\
    -H 'content-type: application/json' \\
    -d '{"prompt": "Hello!", "stream": true}'
`)
}
