/** Where a tab keeps what was written on a page that it left before the page could save it. */
export const UNSAVED_DRAFT_KEY = 'parley-unsaved-draft'

export function keepUnsavedDraft(text: string): void {
  try {
    if (text.trim()) sessionStorage.setItem(UNSAVED_DRAFT_KEY, text)
  } catch {}
}

/** What the page before this one in the tab has kept, once; empty where it kept nothing. */
export function takeUnsavedDraft(): string {
  try {
    const text = sessionStorage.getItem(UNSAVED_DRAFT_KEY) ?? ''
    sessionStorage.removeItem(UNSAVED_DRAFT_KEY)
    return text
  } catch {
    return ''
  }
}
