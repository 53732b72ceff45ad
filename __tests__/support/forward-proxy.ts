import { createServer, type IncomingMessage, request as send } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'

export type ProxyBehaviour = 'forwards' | 'refuses' | 'silent'

/** A forward proxy on a real socket: absolute-form for http, CONNECT for https. Records its requests. */
export class ForwardProxy {
  /** The request lines it was sent. */
  readonly seen: string[] = []
  /** The credentials it was sent, decoded. */
  readonly credentials: string[] = []
  behaviour: ProxyBehaviour = 'forwards'
  readonly #sockets = new Set<Socket>()
  readonly #server = createServer()

  static async start(): Promise<ForwardProxy> {
    const proxy = new ForwardProxy()
    proxy.#server
      .on('connection', socket =>
        proxy.#sockets.add(socket.once('close', () => proxy.#sockets.delete(socket))),
      )
      .on('request', (request, response) => {
        proxy.#note(request)
        if (proxy.behaviour === 'silent') return
        if (proxy.behaviour === 'refuses') return void response.writeHead(407).end()
        const { 'proxy-authorization': _, ...headers } = request.headers
        const onward = send(request.url ?? '', { method: request.method, headers }, answer => {
          response.writeHead(answer.statusCode ?? 502, answer.headers)
          answer.pipe(response)
        })
        response.once('close', () => onward.destroy())
        onward.on('error', () => response.destroy())
        request.pipe(onward)
      })
      .on('connect', (request: IncomingMessage, socket: Socket) => {
        proxy.#note(request)
        socket.on('error', () => {})
        if (proxy.behaviour === 'silent') return void socket.resume().once('end', () => socket.end())
        if (proxy.behaviour === 'refuses') return void socket.end('HTTP/1.1 407 No\r\n\r\n')
        const { hostname, port } = new URL(`http://${request.url}`)
        const onward = connect(Number(port), hostname, () => {
          socket.write('HTTP/1.1 200 OK\r\n\r\n')
          socket.pipe(onward).pipe(socket)
        })
        onward.on('error', () => socket.destroy())
      })
    await new Promise<void>(resolve => proxy.#server.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  get openConnections(): number {
    return this.#sockets.size
  }

  /** Forwards again, and forgets the requests it has recorded. */
  reset(): void {
    this.behaviour = 'forwards'
    this.seen.length = 0
    this.credentials.length = 0
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise(resolve => this.#server.close(resolve))
  }

  #note({ method, url, headers }: IncomingMessage): void {
    this.seen.push(`${method} ${url}`)
    const [, encoded] = headers['proxy-authorization']?.split(' ') ?? []
    if (encoded) this.credentials.push(Buffer.from(encoded, 'base64').toString())
  }
}
