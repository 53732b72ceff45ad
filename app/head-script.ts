import { PAPER, THEME_KEY } from './theme.ts'

/**
 * Runs before the first paint and before any other script: puts the chosen theme on `<html>`, and lets the build's
 * own chunks, and nothing else, pass the policy's requirement of Trusted Types (Turbopack loads them by plain URL).
 */
export const HEAD_SCRIPT = `
try {
  const theme = localStorage.getItem('${THEME_KEY}')
  if (theme === 'light' || theme === 'dark') {
    document.documentElement.dataset.theme = theme
    const meta = document.createElement('meta')
    meta.name = 'theme-color'
    meta.content = theme === 'light' ? '${PAPER.light}' : '${PAPER.dark}'
    meta.dataset.chosenTheme = theme
    document.head.prepend(meta)
  }
} catch {}
globalThis.trustedTypes?.createPolicy('default', {
  createScriptURL(text) {
    const url = new URL(text, location.href)
    return url.origin === location.origin && url.pathname.startsWith('/_next/static/') ? text : null
  },
})
`
