import { PAPER, THEME_KEY } from './theme.ts'

/**
 * Runs before the first paint and before any other script: puts the chosen theme on `<html>`, over a slow network holds
 * the fonts back until the page has loaded, and lets the build's own chunks, and nothing else, pass the policy's
 * requirement of Trusted Types (Turbopack loads them by plain URL). Until the page's other scripts have loaded, examples
 * fill the composer (`data-ready` marks the end of that); and a file that is dropped beside a place for files never
 * replaces the page.
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
document.addEventListener('click', ({ target }) => {
  const example = target instanceof Element && target.closest('[data-example]')
  const field = document.querySelector('textarea[name=question]')
  if (!example || !field || 'ready' in field.dataset) return
  const text = field.value.trim()
  const unchanged = [...document.querySelectorAll('[data-example]')].some(one => one.textContent === text)
  field.value = text && !unchanged ? text + '\\n\\n' + example.textContent : example.textContent
  field.focus()
})
for (const type of ['dragover', 'drop'])
  addEventListener(type, event => event.dataTransfer?.types.includes('Files') && event.preventDefault())
`
