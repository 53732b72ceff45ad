import { BrowserStore } from '../storage/browser-store.ts'
import type { ConversationStore, SavedConversation } from '../storage/conversation-store.ts'
import { lastOpen, prune } from '../storage/last-open.ts'
import { OpenTabs } from '../storage/open-tabs.ts'
import { keepUnsavedDraft, takeUnsavedDraft } from '../storage/unsaved-draft.ts'
import { type Conversation, empty } from './conversation.ts'
import { Draft } from './draft.ts'
import { OpenConversation } from './open-conversation.ts'

/** How long a new chat can be undone. */
const UNDO_MS = 15_000
/** A store that takes longer than this to answer counts as unavailable. */
const LOAD_WITHIN_MS = 3_000
/** A question that was saved this recently, and whose answer had not begun, is asked again after a reload. */
const ASK_AGAIN_WITHIN_MS = 60_000

/** The model that a question is for; undefined leaves the choice to the gateway. */
export type ChosenModel = string | undefined | Promise<string | undefined>

/** The names of the gateway's tools that the model may use. */
export type ChosenTools = readonly string[] | Promise<readonly string[]>

export type ChatState = Conversation & {
  answering: boolean
  /** A question that is asked as soon as the last conversation and the model are known. */
  sending: string | undefined
  /** Whether the last conversation has been looked up in the store. */
  loaded: boolean
  /** What the last action was, where it can be undone or has been undone. */
  newChat: 'none' | 'undoable' | 'undone'
  /** Whether this browser keeps the conversation. */
  saved: boolean
}

export const initialState: ChatState = {
  ...empty,
  answering: false,
  sending: undefined,
  loaded: false,
  newChat: 'none',
  saved: true,
}

const CONTINUE = 'Continue exactly where you stopped.'

/** The chat of this tab, apart from the page that shows it: the open conversation, the draft, and the last undo. */
export class ChatSession {
  readonly draft = new Draft()
  readonly #store: ConversationStore
  readonly #tabs: OpenTabs
  readonly #listeners = new Set<() => void>()
  #current: OpenConversation
  #discarded: OpenConversation | undefined
  #undoTimer: ReturnType<typeof setTimeout> | undefined
  #state = initialState
  #leaving = false
  #ready: Promise<void> | undefined

  constructor(store: ConversationStore = new BrowserStore()) {
    this.#store = store
    this.#tabs = new OpenTabs({
      onTaken: id => this.#moveAway(id),
      onCleared: () => this.#replaceAll(),
    })
    this.#current = this.#open(newId())
    this.draft.subscribe(() => this.#current.saving.changed())
  }

  readonly getState = (): ChatState => this.#state

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** Loads the last conversation, once; resolves also where that fails. */
  start(): Promise<void> {
    this.#ready ??= this.#restore()
    return this.#ready
  }

  /** Sends a question, once its model and tools are known and the last conversation is loaded. */
  async send(question: string, model: ChosenModel, tools: ChosenTools = []): Promise<void> {
    const { loaded, sending } = this.#state
    if (sending !== undefined || (loaded && !this.#current.live.ready)) return
    this.draft.set('')
    if (!loaded || model instanceof Promise || tools instanceof Promise) this.#update({ sending: question })
    const [chosen, allowed] = await Promise.all([model, tools, this.start()])
    this.#update({ sending: undefined })
    if (!this.#current.live.ready) return this.draft.prepend(question)
    this.#endUndo()
    this.#current.live.send({ question, model: chosen, tools: allowed })
  }

  /** Asks for the rest of an answer that was cut; what is being written stays. */
  readonly continueAnswer = (model: string | undefined): void => {
    if (!this.#current.live.ready) return
    this.#endUndo()
    const tools = this.#state.turns.at(-1)?.tools
    this.#current.live.send({ question: CONTINUE, model, ...(tools && { tools }) })
  }

  /** @param offered the tools that the gateway has now, where they are known */
  readonly retry = (model: string | undefined, offered?: readonly string[]): void =>
    this.#current.live.retry(model, offered)
  readonly stop = (): void => void this.#current.live.stop()
  readonly takeBack = (): void => this.#current.live.takeBack()
  readonly endWait = (): void => this.#current.live.endWait()

  /** Starts a conversation beside the present one, which is removed later: until then, that can be undone. */
  readonly newChat = (): void => {
    if (this.#current.live.state.turns.length === 0) return
    this.#endUndo()
    const previous = this.#current
    const next = this.#open(newId())
    this.#become(next)
    next.begin()
    this.#keepForUndo(previous)
  }

  readonly undo = (): void => {
    const previous = this.#discarded
    if (!previous) return
    clearTimeout(this.#undoTimer)
    this.#discarded = undefined
    const replaced = this.#current
    this.#become(previous)
    previous.saving.changed()
    void replaced.discard()
    this.#update({ newChat: 'undone' })
  }

  /** Removes all conversations and drafts from this browser, also those of other tabs. */
  readonly deleteAll = async (): Promise<void> => {
    this.#tabs.announceCleared()
    this.#replaceAll()
    await this.#store.clear().catch(() => undefined)
  }

  /** Saves what has not been saved yet. */
  flush(): void {
    for (const opened of this.#opened) opened.saving.flushPending()
  }

  /** The page is closing, and aborts its requests: their failures are not part of the conversation. */
  suspend(): void {
    this.#leaving = true
    if (this.#state.loaded) this.#pause()
    else keepUnsavedDraft(this.#written)
  }

  /** The page was shown again after all. */
  wake(): void {
    this.#leaving = false
    if (this.#state.loaded) for (const opened of this.#opened) opened.saving.resume()
    else takeUnsavedDraft()
  }

  /** Whether leaving now would lose something. */
  get wouldLose(): boolean {
    const { saved, turns } = this.#state
    return !saved && (turns.length > 0 || this.#written.trim() !== '')
  }

  #pause(): void {
    this.flush()
    for (const opened of this.#opened) opened.saving.pause()
  }

  get #opened(): readonly OpenConversation[] {
    return [this.#current, this.#discarded].filter(opened => opened !== undefined)
  }

  get #written(): string {
    return this.#state.sending ?? this.draft.get()
  }

  async #restore(): Promise<void> {
    this.draft.prepend(takeUnsavedDraft())
    const { remembered } = this.#tabs
    const saved = await this.#load(() => lastOpen(this.#store, this.#tabs))
    const discarded = await this.#load(async () => {
      return remembered?.discarded ? this.#store.load(remembered.discarded) : undefined
    })
    if (saved) {
      this.#current = this.#open(saved.head.id)
      this.draft.prepend(saved.head.draft)
    }
    this.#current.begin(saved?.turns, { askAgain: remembered !== undefined && isRecent(saved) })
    if (discarded) {
      const opened = this.#open(discarded.head.id)
      opened.begin(discarded.turns)
      this.#keepForUndo(opened)
    }
    this.#rememberOpen()
    this.#update({ loaded: true })
    if (this.#leaving) this.#pause()
    void prune(this.#store, this.#tabs, Date.now()).catch(() => undefined)
  }

  async #load(load: () => Promise<SavedConversation | undefined>): Promise<SavedConversation | undefined> {
    return within(LOAD_WITHIN_MS, load()).catch(() => undefined)
  }

  #open(id: string): OpenConversation {
    const opened: OpenConversation = new OpenConversation(id, {
      store: this.#store,
      tabs: this.#tabs,
      draft: () => (opened === this.#current ? this.#written : ''),
      onFailing: failing => opened === this.#current && this.#update({ saved: !failing }),
      onChange: () => opened === this.#current && this.#update({}),
      onWithdrawn: question => this.draft.prepend(question),
    })
    return opened
  }

  #become(opened: OpenConversation): void {
    this.#current = opened
    this.#rememberOpen()
    this.#update({})
  }

  #keepForUndo(previous: OpenConversation): void {
    this.#discarded = previous
    previous.saving.changed()
    this.#rememberOpen()
    this.#undoTimer = setTimeout(() => this.#endUndo(), UNDO_MS)
    this.#update({ newChat: 'undoable' })
  }

  #endUndo(): void {
    clearTimeout(this.#undoTimer)
    void this.#discarded?.discard()
    this.#discarded = undefined
    this.#rememberOpen()
    this.#update({ newChat: 'none' })
  }

  /** Another tab has taken a conversation over: this one continues under an id of its own. */
  #moveAway(id: string): void {
    for (const opened of this.#opened) if (opened.id === id) opened.moveTo(newId())
    this.#rememberOpen()
  }

  #replaceAll(): void {
    this.#endUndo()
    this.draft.set('')
    const previous = this.#current
    const next = this.#open(newId())
    this.#become(next)
    next.begin()
    void previous.discard()
  }

  #rememberOpen(): void {
    this.#tabs.remember({ open: this.#current.id, discarded: this.#discarded?.id })
  }

  #update(change: Partial<ChatState>): void {
    const { sending, loaded, newChat, saved } = { ...this.#state, ...change }
    const { live } = this.#current
    this.#state = { ...live.state, answering: live.answering, sending, loaded, newChat, saved }
    for (const listener of this.#listeners) listener()
  }
}

function isRecent(saved: SavedConversation | undefined): boolean {
  return saved !== undefined && Date.now() - saved.head.updatedAt < ASK_AGAIN_WITHIN_MS
}

/** Random, also where the page is served over plain HTTP and has no `crypto.randomUUID`. */
function newId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), byte =>
    byte.toString(16).padStart(2, '0'),
  ).join('')
}

async function within<Value>(ms: number, promise: Promise<Value>): Promise<Value | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<undefined>()
  const timer = setTimeout(resolve, ms, undefined)
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}
