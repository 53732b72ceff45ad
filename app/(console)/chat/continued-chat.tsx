'use client'

import { useEffect } from 'react'
import { chatSession } from './conversation/use-chat.ts'

/** Loads this tab's chat and continues its answer, whichever page is shown. Draws nothing. */
export function ContinuedChat() {
  useEffect(() => void chatSession().start(), [])
  return null
}
