'use client'

import { useLayoutEffect } from 'react'
import { HYDRATED } from './head-script/early-input.ts'

/** Says that the page handles its own events, once all of it does. Draws nothing. */
export function Hydrated() {
  useLayoutEffect(() => void dispatchEvent(new Event(HYDRATED)), [])
  return null
}
