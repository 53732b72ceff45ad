import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync } from 'node:fs'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, createConnection, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** Something on loopback that connections can be made to, and come to no good. */
export type BadListener = Readonly<{
  baseUrl: string
  /** Connections it has taken. */
  connections: () => number
  stop: () => Promise<void>
}>

const listen = async (server: Server, scheme: string): Promise<BadListener> => {
  let connections = 0
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    connections += 1
    sockets.add(socket.once('close', () => sockets.delete(socket)).on('error', () => {}))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    baseUrl: `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    connections: () => connections,
    stop: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

/** Nobody: a port that was free a moment ago. */
export const refusedUrl = async (): Promise<string> => {
  const { baseUrl, stop } = await listen(createServer(), 'http')
  await stop()
  return baseUrl
}

/** Resets every TLS handshake once it has begun. */
export const resetsHandshakes = (): Promise<BadListener> =>
  listen(
    createServer(socket => socket.once('data', () => socket.resetAndDestroy())),
    'https',
  )

const selfSigned = (days: number): { key: Buffer; cert: Buffer } => {
  const dir = mkdtempSync(join(tmpdir(), 'parley-certificate-'))
  const [key, cert] = [join(dir, 'key.pem'), join(dir, 'cert.pem')]
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1']
  const kind = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  execFileSync('openssl', [...kind, '-keyout', key, '-out', cert, '-days', String(days), ...subject], {
    stdio: 'ignore',
  })
  return { key: readFileSync(key), cert: readFileSync(cert) }
}

/** Speaks TLS with a certificate that nobody vouches for, and would take any request. */
export const badCertificate = (): Promise<BadListener> =>
  listen(
    createTlsServer(selfSigned(1), (_request, response) => response.end('must not be reached')),
    'https',
  )

const FROZEN = `
  const server = require('node:net').createServer()
  server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => console.log(server.address().port))
`
const CONNECTS_WITHIN_MS = 500

const connects = async (port: number): Promise<Socket | undefined> => {
  const socket = createConnection(port, '127.0.0.1').on('error', () => {})
  const connected = once(socket, 'connect').then(() => true)
  if (await Promise.race([connected, sleep(CONNECTS_WITHIN_MS, false)])) return socket
  socket.destroy()
  return undefined
}

/** A port whose queue is full and that nobody takes from: the kernel drops every further SYN. Linux only. */
export const blackhole = async (): Promise<BadListener> => {
  const child = spawn(process.execPath, ['-e', FROZEN], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = await once(child.stdout, 'data')
  const port = Number(line)
  child.kill('SIGSTOP')
  const held: Socket[] = []
  for (let socket = await connects(port); socket; socket = await connects(port)) held.push(socket)
  return {
    baseUrl: `http://127.0.0.1:${port}/v1`,
    connections: () => 0,
    stop: async () => {
      for (const socket of held) socket.destroy()
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
  }
}
