// Drives the page in headless Chromium and prints what it saw as JSON. Every request that is not to the server is
// blocked and listed.
// usage: DOUYIN_TEST_CHROMIUM=PATH node browse.mjs SERVER NAME PASSWORD [SCREENSHOTS]
import { chromium } from 'playwright-core'

const [server, name, password, screenshot] = process.argv.slice(2)
const browser = await chromium.launch({
  executablePath: process.env.DOUYIN_TEST_CHROMIUM,
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync'],
})
const seen = { blocked: [], problems: [], visitor: '', session: '', viewer: '', operations: 0 }
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } })
  page.setDefaultTimeout(15_000)
  await page.route('**/*', (route) => {
    const url = route.request().url()
    if (url.startsWith(server + '/')) return route.continue()
    seen.blocked.push(url)
    return route.abort()
  })
  page.on('request', (request) => {
    if (request.url() === server + '/graphql') seen.operations++
  })
  page.on('console', (message) => {
    if (message.type() === 'error') seen.problems.push(message.text())
  })
  page.on('pageerror', (error) => seen.problems.push(String(error)))

  await page.goto(server + '/playground')
  const run = async (tab, expected) => {
    await page.getByRole('tab', { name: tab }).click()
    const answered = page.waitForResponse((r) => r.url() === server + '/graphql' && r.request().postData().includes('query ' + tab))
    await page.getByRole('button', { name: /execute query/i }).click()
    const text = await (await answered).text()
    await page.locator('.result-window .view-lines').filter({ hasText: expected }).waitFor()
    if (screenshot) await page.screenshot({ path: `${screenshot}-${tab}.png` })
    return text
  }
  seen.visitor = await run('Feed', 'hasNextPage')

  await page.getByLabel('Name').fill(name)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  const session = page.locator('.session span')
  await session.getByText(name).waitFor()
  seen.session = await session.innerText()
  seen.viewer = await run('Profile', name)
} catch (error) {
  seen.problems.push(String(error))
} finally {
  await browser.close()
}
console.log(JSON.stringify(seen))
