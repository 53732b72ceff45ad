/** The calls in progress of API keys. */
export interface KeySlots {
  /** A function that frees a slot again; undefined where the key has no free one. Never rejects. */
  enter(keyId: string, most: number): Promise<(() => void) | undefined>
}

/** Slots of this process. */
export const localSlots = (): KeySlots => {
  const taken = new Map<string, number>()
  const leave = (keyId: string): void => {
    const left = (taken.get(keyId) ?? 1) - 1
    if (left > 0) taken.set(keyId, left)
    else taken.delete(keyId)
  }
  return {
    async enter(keyId, most) {
      const count = taken.get(keyId) ?? 0
      if (count >= most) return undefined
      taken.set(keyId, count + 1)
      let isHeld = true
      return () => {
        if (isHeld) leave(keyId)
        isHeld = false
      }
    },
  }
}
