import { crc32, deflateSync } from 'node:zlib'

const SIDE = 64
const BYTES_A_PIXEL = 3
const SAMPLES_A_SECOND = 8_000
const BYTES_A_SAMPLE = 2
const HERTZ = 440
const SECONDS = 0.25
const LOUDNESS = 8_000

const numbers = (...values: readonly number[]): Buffer => {
  const bytes = Buffer.alloc(values.length * 4)
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, index * 4)
  return bytes
}

/** A chunk of a PNG file. Source: W3C, "PNG", 5.3. */
const chunk = (type: string, data: Uint8Array): Buffer => {
  const body = Buffer.concat([Buffer.from(type), data])
  return Buffer.concat([numbers(data.length), body, numbers(crc32(body))])
}

/** A PNG of 64 × 64 pixels in one colour. */
export const mockImage = (red: number, green: number, blue: number): Buffer => {
  const row = Buffer.alloc(1 + SIDE * BYTES_A_PIXEL)
  for (let pixel = 0; pixel < SIDE; pixel += 1) row.set([red, green, blue], 1 + pixel * BYTES_A_PIXEL)
  const pixels = Buffer.concat(Array.from({ length: SIDE }, () => row))
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', Buffer.concat([numbers(SIDE, SIDE), Buffer.from([8, 2, 0, 0, 0])])),
    chunk('IDAT', deflateSync(pixels)),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

/** A quarter of a second of a tone as a WAV file of 16-bit samples. */
export const mockSpeech = (): Buffer => {
  const samples = Buffer.alloc(SAMPLES_A_SECOND * SECONDS * BYTES_A_SAMPLE)
  for (let index = 0; index * BYTES_A_SAMPLE < samples.length; index += 1) {
    const phase = (2 * Math.PI * HERTZ * index) / SAMPLES_A_SECOND
    samples.writeInt16LE(Math.round(LOUDNESS * Math.sin(phase)), index * BYTES_A_SAMPLE)
  }
  const header = Buffer.alloc(44)
  header.write('RIFF', 0)
  header.writeUInt32LE(36 + samples.length, 4)
  header.write('WAVEfmt ', 8)
  header.writeUInt32LE(16, 16)
  header.writeUInt16LE(1, 20)
  header.writeUInt16LE(1, 22)
  header.writeUInt32LE(SAMPLES_A_SECOND, 24)
  header.writeUInt32LE(SAMPLES_A_SECOND * BYTES_A_SAMPLE, 28)
  header.writeUInt16LE(BYTES_A_SAMPLE, 32)
  header.writeUInt16LE(8 * BYTES_A_SAMPLE, 34)
  header.write('data', 36)
  header.writeUInt32LE(samples.length, 40)
  return Buffer.concat([header, samples])
}
