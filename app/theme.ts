/** The user's choice; `system` follows the device. */
export type Theme = 'system' | 'light' | 'dark'

export const THEMES: Theme[] = ['system', 'light', 'dark']
export const THEME_KEY = 'parley-theme'

/** The paper's colour, for the browser's own bars. */
export const PAPER = { light: '#fbfaf7', dark: '#171512' } as const

/** The chosen theme, as the head script put it on `<html>` before the first paint. */
export function currentTheme(): Theme {
  return (document.documentElement.dataset.theme as Theme | undefined) ?? 'system'
}

/**
 * Colours the browser's bars. Of several `theme-color` elements the first that fits counts, so a chosen theme goes
 * before those that follow the device.
 */
function colourBars(theme: Theme): void {
  document.querySelector('meta[data-chosen-theme]')?.remove()
  if (theme === 'system') return
  const meta = document.createElement('meta')
  meta.name = 'theme-color'
  meta.content = PAPER[theme]
  meta.dataset.chosenTheme = theme
  document.head.prepend(meta)
}

/** Applies and remembers a theme. Where storage is refused the choice lasts as long as the page. */
export function chooseTheme(theme: Theme): void {
  if (theme === 'system') delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = theme
  colourBars(theme)
  try {
    localStorage.setItem(THEME_KEY, theme)
  } catch {}
  dispatchEvent(new Event(THEME_KEY))
}

/** Calls back when the theme changes, here or in another tab. */
export function onThemeChange(callback: () => void): () => void {
  const onStorage = ({ key, newValue }: StorageEvent) => {
    if (key === THEME_KEY) chooseTheme((newValue as Theme | null) ?? 'system')
  }
  addEventListener(THEME_KEY, callback)
  addEventListener('storage', onStorage)
  return () => {
    removeEventListener(THEME_KEY, callback)
    removeEventListener('storage', onStorage)
  }
}
