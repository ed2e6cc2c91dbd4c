// Renders mark.svg to the PNG icons in public/icons.
// usage: DOUYIN_TEST_CHROMIUM=PATH node icons.mjs
import { readFileSync } from 'node:fs'
import { chromium } from 'playwright-core'

const folder = new URL('public/icons/', import.meta.url)
const mark = readFileSync(new URL('mark.svg', folder), 'utf8')
const browser = await chromium.launch({ executablePath: process.env.DOUYIN_TEST_CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] })
// The device crops a maskable icon to a shape: the background covers the whole square, and the mark keeps a margin.
const maskable = mark.replace(' rx="116"', '').replace('<g ', '<g transform="translate(51 51) scale(.8)" ')
for (const [name, size, svg] of [['192', 192, mark], ['512', 512, mark], ['maskable', 512, maskable]]) {
  const page = await browser.newPage({ viewport: { width: size, height: size } })
  await page.setContent(`<style>*{margin:0}svg{display:block;width:${size}px;height:${size}px}</style>${svg}`)
  await page.screenshot({ path: new URL(name + '.png', folder).pathname, omitBackground: true })
}
await browser.close()
