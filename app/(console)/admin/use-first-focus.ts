import { type RefObject, useEffect, useRef } from 'react'

/** Moves the focus to the first input of a form that has just been opened. */
export function useFirstFocus(): RefObject<HTMLFormElement | null> {
  const form = useRef<HTMLFormElement>(null)
  useEffect(() => form.current?.querySelector('input')?.focus(), [])
  return form
}
