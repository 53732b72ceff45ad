/**
 * Letters of other scripts that look like Latin ones, those that compatibility folding leaves. From Unicode's
 * `confusables.txt` (UTS #39), by the package `confusable-homoglyphs` 3.3.1 (MIT); data under the Unicode Licence v3,
 * © 1991-2024 Unicode, Inc. Only letters of living alphabets, one for one. Small capitals, turned letters and Cyrillic
 * letters that are like Latin capitals are added.
 */
const LOOK_ALIKES: Readonly<Record<string, string>> = {
  a: 'ɐɑΑαАаᎪᴀ',
  b: 'ƄʙΒВЬвᏏᏴꞴ',
  c: 'ɔϲϹСсᏟᴄⲤⲥꮯ',
  d: 'ԁᎠᏧᴅ',
  e: 'ǝΕЕеэҽᎬᴇꬲ',
  f: 'ɟϜքẝꜰꞘꞙꬵ',
  g: 'ƃƍɡɢԌցᏀᏳᶃ',
  h: 'ɥʜΗНнһհᎻᏂⲎ',
  i: 'ıƖɩɪΙιІіӀӏᎥᴉιꙇꭵ',
  j: 'ɾͿϳЈјᎫᴊꞲ',
  k: 'ʞΚКкᏦᛕᴋⲔ',
  l: 'ǀʟᏞᛁⲒⳐ',
  m: 'ΜϺМмᎷᛖᴍⲘ',
  n: 'ɴΝиոռⲚ',
  o: 'ΟοσОоՕօჿᴏᴑⲞⲟꬽ',
  p: 'ΡρϱРрᏢᴘⲢⲣ',
  q: 'ԛգզ',
  r: 'ƦɹʀгяᎡᏒᴦⲅꭇꭈꮁ',
  s: 'ƽЅѕՏᏕᏚꜱꮪ',
  t: 'ʇΤТтᎢᴛⲦ',
  u: 'ʋυՍսᴜꞟꭎꭒ',
  v: 'ʌνѴѵᏙᴠꮩ',
  w: 'ɯʍѡԜԝաᎳᏔᴡꮃ',
  x: 'ΧХхᚷⲬꞳ',
  y: 'ɣʎʏΥγϒУуҮүყᎩᎽᶌỿℽⲨꭚ',
  z: 'ΖᏃᴢꮓ',
}

const LETTERS = new Map(
  Object.entries(LOOK_ALIKES).flatMap(([letter, alike]) =>
    Array.from(alike, character => [character, letter]),
  ),
)

/** The Latin letter that a character looks like; undefined where it is none of the known look-alikes. */
export const lookAlike = (character: string): string | undefined => LETTERS.get(character)
