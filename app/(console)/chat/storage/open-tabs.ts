const TAB_KEY = 'parley-conversation'
const CHANNEL = 'parley-conversations'
const LOCK_PREFIX = 'parley-conversation-'

type Message = { type: 'claimed'; id: string } | { type: 'cleared' }

/** Ids of conversations: the open one, and the one that a new chat has replaced while that can be undone. */
export type TabMemory = { open: string; discarded?: string | undefined }

export type OpenTabsEvents = {
  /** Another tab has opened a conversation that this one had open; it may no longer be saved here under that id. */
  onTaken: (id: string) => void
  /** Another tab has deleted all conversations. */
  onCleared: () => void
}

/**
 * Which tab has which conversation open, so that two of them never save under the same id. A claim is a Web Lock, which
 * ends with its page; where there are none (plain HTTP), a message to the other tabs.
 */
export class OpenTabs {
  readonly #events: OpenTabsEvents
  readonly #channel = 'BroadcastChannel' in globalThis ? new BroadcastChannel(CHANNEL) : undefined
  readonly #claims = new Map<string, () => void>()

  constructor(events: OpenTabsEvents) {
    this.#events = events
    this.#channel?.addEventListener('message', ({ data }: MessageEvent<Message>) => this.#receive(data))
  }

  /** What this tab had open before it was reloaded. */
  get remembered(): TabMemory | undefined {
    try {
      const memory: unknown = JSON.parse(sessionStorage.getItem(TAB_KEY) ?? 'null')
      return isTabMemory(memory) ? memory : undefined
    } catch {
      return undefined
    }
  }

  remember(memory: TabMemory): void {
    try {
      sessionStorage.setItem(TAB_KEY, JSON.stringify(memory))
    } catch {}
  }

  /** Takes a conversation over, also from a tab that has it open: a duplicate of this tab, for instance. */
  claim(id: string): void {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#claims.set(id, resolve)
    if (!navigator.locks) this.#send({ type: 'claimed', id })
    else navigator.locks.request(LOCK_PREFIX + id, { steal: true }, () => promise).catch(() => this.#lose(id))
  }

  release(id: string): void {
    this.#claims.get(id)?.()
    this.#claims.delete(id)
  }

  /** The conversations that some tab has open; none where that cannot be known. */
  async claimed(): Promise<Set<string>> {
    const { held = [] } = (await navigator.locks?.query().catch(() => undefined)) ?? {}
    return new Set(held.map(({ name = '' }) => name.slice(LOCK_PREFIX.length)))
  }

  announceCleared(): void {
    this.#send({ type: 'cleared' })
  }

  #send(message: Message): void {
    this.#channel?.postMessage(message)
  }

  #receive(message: Message): void {
    if (message.type === 'cleared') this.#events.onCleared()
    else this.#lose(message.id)
  }

  #lose(id: string): void {
    if (this.#claims.delete(id)) this.#events.onTaken(id)
  }
}

function isTabMemory(value: unknown): value is TabMemory {
  if (typeof value !== 'object' || value === null || !('open' in value)) return false
  const discarded = 'discarded' in value ? value.discarded : undefined
  return typeof value.open === 'string' && (discarded === undefined || typeof discarded === 'string')
}
