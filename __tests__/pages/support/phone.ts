/** The narrowest phone that the pages fit, as Playwright imitates it. */
export const PHONE = { viewport: { width: 320, height: 640 }, hasTouch: true, isMobile: true }
