import { THEME_KEY } from './theme.ts'

/**
 * Runs before the first paint and before any other script: puts the chosen theme on `<html>`, over a slow network holds
 * the fonts back until the page has loaded, and lets the build's own chunks, and nothing else, pass the policy's
 * requirement of Trusted Types (Turbopack loads them by plain URL).
 */
export const HEAD_SCRIPT = `
try {
  const theme = localStorage.getItem('${THEME_KEY}')
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme
} catch {}
{
  const { connection } = navigator
  if (connection && (connection.saveData || connection.effectiveType !== '4g')) {
    const { classList } = document.documentElement
    classList.add('fonts-later')
    addEventListener('load', () => classList.remove('fonts-later'))
  }
}
globalThis.trustedTypes?.createPolicy('default', {
  createScriptURL(text) {
    const url = new URL(text, location.href)
    return url.origin === location.origin && url.pathname.startsWith('/_next/static/') ? text : null
  },
})
`
