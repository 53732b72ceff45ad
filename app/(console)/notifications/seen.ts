const SEEN_KEY = 'parley-batches-seen'
const NOTHING: readonly string[] = []
const MOST = 500

let seen = NOTHING
let text: string | null = null

/** The finished batches that the user has seen. Where storage is refused, for the life of the page. */
export function seenEnds(): readonly string[] {
  const stored = read()
  if (stored === text) return seen
  text = stored
  seen = endsIn(stored)
  return seen
}

export const noneSeen = () => NOTHING

/** Adds to what was seen: another tab may know ends that this one does not. */
export function lookAt(ends: readonly string[]): void {
  const known = new Set(seenEnds())
  const added = ends.filter(end => !known.has(end))
  if (added.length === 0) return
  seen = [...known, ...added].slice(-MOST)
  try {
    localStorage.setItem(SEEN_KEY, JSON.stringify(seen))
    text = read()
  } catch {}
  dispatchEvent(new Event(SEEN_KEY))
}

/** Calls back when the user has looked, here or in another tab. */
export function onLook(callback: () => void): () => void {
  const onStorage = ({ key }: StorageEvent) => key === SEEN_KEY && callback()
  addEventListener(SEEN_KEY, callback)
  addEventListener('storage', onStorage)
  return () => {
    removeEventListener(SEEN_KEY, callback)
    removeEventListener('storage', onStorage)
  }
}

function read(): string | null {
  try {
    return localStorage.getItem(SEEN_KEY)
  } catch {
    return text
  }
}

function endsIn(stored: string | null): readonly string[] {
  try {
    const ends: unknown = JSON.parse(stored ?? '[]')
    return Array.isArray(ends) ? ends : NOTHING
  } catch {
    return NOTHING
  }
}
