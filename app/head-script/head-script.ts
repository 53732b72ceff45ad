import { PAPER, THEME_KEY } from '../theme.ts'
import { EARLY_INPUT, HYDRATED } from './early-input.ts'

/** Every page carries the script twice, once for React. */
const INDENTATION = /\n\s+/g

/** A question that was sent early is under way by then. */
const FONTS_AFTER_MS = 2_000

/**
 * Runs before the first paint and before any other script: puts the chosen theme on `<html>`, over a slow network holds
 * the fonts back until the page can be used, and lets the build's own chunks, and nothing else, pass the policy's
 * requirement of Trusted Types (Turbopack loads them by plain URL). A file that is dropped beside a place for files
 * never replaces the page; what is done before the page's other scripts are there is kept for them.
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
    addEventListener('${HYDRATED}', () => setTimeout(() => classList.remove('fonts-later'), ${FONTS_AFTER_MS}))
  }
}
globalThis.trustedTypes?.createPolicy('default', {
  createScriptURL(text) {
    const url = new URL(text, location.href)
    return url.origin === location.origin && url.pathname.startsWith('/_next/static/') ? text : null
  },
})
for (const type of ['dragover', 'drop'])
  addEventListener(type, event => event.dataTransfer?.types.includes('Files') && event.preventDefault())
${EARLY_INPUT}`.replace(INDENTATION, '\n')
