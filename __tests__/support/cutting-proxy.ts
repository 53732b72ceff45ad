import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

const STREAM = /^(?:POST \/api\/chat|GET \/api\/chat\/[^/ ]+\/stream) /

/** A stream of an answer on its way through, over sockets that other requests may have used before. */
type Passing = { client: Socket; cutAfter: number; passed: number }

/** A network that breaks when it is told to: passes bytes on to a gateway, and breaks connections that carry an answer. */
export class CuttingProxy {
  readonly #server: Server
  readonly #target: URL
  readonly #sockets = new Set<Socket>()
  readonly #passing = new Map<Socket, Passing>()
  readonly #plan: number[] = []
  #swallows = false
  #cuts = 0

  private constructor(target: string) {
    this.#target = new URL(target)
    this.#server = createServer(client => this.#pass(client))
  }

  static async start(target: string): Promise<CuttingProxy> {
    const proxy = new CuttingProxy(target)
    proxy.#server.listen(0)
    await once(proxy.#server, 'listening')
    return proxy
  }

  get url(): string {
    return `http://localhost:${(this.#server.address() as AddressInfo).port}`
  }

  /** How many connections were cut in the middle of an answer. */
  get cuts(): number {
    return this.#cuts
  }

  /** How many connections carry an answer. */
  get streams(): number {
    return this.#passing.size
  }

  /** The next answers are cut after so many bytes, headers included, one after the other. */
  cutAfter(...bytes: number[]): void {
    this.#plan.push(...bytes)
  }

  /** Cuts all answers on their way. From now on requests for one are swallowed, or let through again. */
  cut({ next }: { next: 'swallowed' | 'let through' }): void {
    this.#swallows = next === 'swallowed'
    for (const { client } of this.#passing.values()) this.#break(client)
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #pass(client: Socket): void {
    const gateway = connect(Number(this.#target.port), this.#target.hostname)
    for (const [socket, other] of [[client, gateway] as const, [gateway, client] as const]) {
      this.#sockets.add(socket)
      socket.on('error', () => {})
      socket.once('close', () => {
        this.#sockets.delete(socket)
        this.#passing.delete(client)
        other.destroy()
      })
    }
    client.on('data', bytes => {
      const asksForAnswer = this.#look(client, bytes)
      if (!asksForAnswer || !this.#swallows) gateway.write(bytes)
    })
    gateway.on('data', bytes => this.#hand(client, bytes))
  }

  /** Whether a request is for an answer. A browser sends it only after the answer to the last one on its connection. */
  #look(client: Socket, request: Buffer): boolean {
    const beginning = request.toString('latin1', 0, 200)
    if (/^[A-Z]+ \//.test(beginning)) this.#passing.delete(client)
    if (!STREAM.test(beginning)) return false
    this.#passing.set(client, { client, cutAfter: this.#plan.shift() ?? Number.POSITIVE_INFINITY, passed: 0 })
    return true
  }

  #hand(client: Socket, bytes: Buffer): void {
    const stream = this.#passing.get(client)
    const left = stream ? stream.cutAfter - stream.passed : bytes.length
    if (stream) stream.passed += bytes.length
    if (left >= bytes.length) return void client.write(bytes)
    client.write(bytes.subarray(0, left), () => this.#break(client))
  }

  #break(client: Socket): void {
    this.#cuts += 1
    client.destroy()
  }
}
