// Drives the page in headless Chromium and prints what it saw as JSON. Every request that is not to the server is
// blocked and listed.
// usage: DOUYIN_TEST_CHROMIUM=PATH node browse.mjs SERVER NAME PASSWORD OTHERS-TOKEN [SCREENSHOTS]
import { chromium } from 'playwright-core'

const [server, name, password, otherToken, screenshot] = process.argv.slice(2)
const browser = await chromium.launch({
  executablePath: process.env.DOUYIN_TEST_CHROMIUM,
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync'],
})
let page
const seen = { blocked: [], problems: [], visitor: '', session: '', viewer: '', counts: '', message: '', operations: 0 }
try {
  page = await browser.newPage({ viewport: { width: 1280, height: 800 } })
  page.setDefaultTimeout(60_000)
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

  // watch runs the subscription of a tab, has something done that it tells, and returns what it shows then. The server
  // says nothing when it listens, so the something is done again until it is told.
  const watch = async (tab, before, cause, expected) => {
    await page.getByRole('tab', { name: tab }).click()
    await page.getByRole('button', { name: /execute query/i }).click()
    const result = page.locator('.result-window .view-lines')
    if (before) await result.filter({ hasText: before }).waitFor()
    else await page.getByRole('button', { name: /stop query/i }).waitFor()
    for (const end = Date.now() + 60_000; ;) {
      await cause()
      try {
        await result.filter({ hasText: expected }).waitFor({ timeout: 2_000 })
        break
      } catch (error) {
        if (Date.now() > end) throw error
      }
    }
    if (screenshot) await page.screenshot({ path: `${screenshot}-${tab}.png` })
    const shown = (await result.innerText()).replaceAll('\u00a0', ' ')
    await page.getByRole('button', { name: /stop query/i }).click()
    return shown
  }
  const change = async (query) => {
    const response = await fetch(server + '/graphql', {
      method: 'POST', headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${otherToken}` }, body: JSON.stringify({ query }),
    })
    const { errors } = await response.json()
    if (errors) throw new Error(JSON.stringify(errors))
  }
  seen.counts = await watch('Counts', /"likeCount":\s*0/, () => change('mutation { likeVideo(input: {videoId: "1"}) { video { id } } }'), /"likeCount":\s*1/)
  seen.message = await watch('Messages', null, () => change('mutation { sendMessage(input: {userId: "1", content: "hello-ann"}) { message { id } } }'), 'hello-ann')
} catch (error) {
  seen.problems.push(String(error))
  if (screenshot) await page?.screenshot({ path: `${screenshot}-problem.png` })
} finally {
  await browser.close()
}
console.log(JSON.stringify(seen))
