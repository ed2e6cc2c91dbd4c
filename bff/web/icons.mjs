// Draws the icons of public/icons from mark.svg.
// usage: DOUYIN_TEST_CHROMIUM=PATH node icons.mjs
import { readFileSync } from 'node:fs'
import { chromium } from 'playwright-core'

const folder = new URL('public/icons/', import.meta.url)
const mark = readFileSync(new URL('mark.svg', folder), 'utf8')
const browser = await chromium.launch({ executablePath: process.env.DOUYIN_TEST_CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] })
// A maskable icon is cut to any shape by the device: its ground goes to the edges, and the mark keeps off them.
const whole = mark.replace(' rx="116"', '').replace('<g ', '<g transform="translate(51 51) scale(.8)" ')
for (const [name, size, svg] of [['192', 192, mark], ['512', 512, mark], ['maskable', 512, whole]]) {
  const page = await browser.newPage({ viewport: { width: size, height: size } })
  await page.setContent(`<style>*{margin:0}svg{display:block;width:${size}px;height:${size}px}</style>${svg}`)
  await page.screenshot({ path: new URL(name + '.png', folder).pathname, omitBackground: true })
}
await browser.close()
